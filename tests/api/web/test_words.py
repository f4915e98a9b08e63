import pytest

from api.web.words import count


@pytest.mark.parametrize(("number", "said"), [(0, "0 posts"), (1, "1 post"), (2, "2 posts"), (12_000, "12,000 posts")])
def test_a_number_with_its_noun(number, said):
    assert count(number, "post") == said
