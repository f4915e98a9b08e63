import pytest

from api.access.permissions import Scope, require_scope


def test_a_misspelt_scope_fails_where_the_view_is_defined():
    with pytest.raises(ValueError, match="predit"):
        require_scope("predit")


def test_a_scope_is_one_permission_wherever_it_is_named():
    assert require_scope(Scope.PREDICT) is require_scope(Scope.PREDICT)
    assert require_scope(Scope.PREDICT) is not require_scope(Scope.ADMIN)
