from django.db import migrations, models

from hate_speech_AI.training.rows import choose_side

_BATCH = 5000


def keep_sides(apps, schema_editor):
    """Store the side that each tweet has had so far, by the public rule. New ones get theirs with the installation's secret."""
    tweets = apps.get_model("api", "Tweet").objects
    last = 0
    while batch := list(tweets.filter(id__gt=last).order_by("id").values_list("id", "fingerprint")[:_BATCH]):
        sides = {}
        for number, digest in batch:
            sides.setdefault(choose_side(digest), []).append(number)
        for side, numbers in sides.items():
            tweets.filter(id__in=numbers).update(side=side)
        last = batch[-1][0]


class Migration(migrations.Migration):

    dependencies = [
        ('api', '0004_key_usage'),
    ]

    operations = [
        migrations.CreateModel(
            name='Installation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('split_secret', models.BinaryField(help_text='With it new tweets get their side, so that nobody outside can choose it.')),
            ],
        ),
        migrations.AddField(
            model_name='tweet',
            name='side',
            field=models.CharField(default='', editable=False, help_text='Whether trainings learn from it; chosen by the first that reads it.', max_length=10),
        ),
        migrations.AddField(
            model_name='label',
            name='set_aside_by',
            field=models.CharField(blank=True, default='', help_text='The version whose training set it aside. It stays if the label is restored; then no training does that again.', max_length=100),
        ),
        migrations.AddField(
            model_name='modelversion',
            name='set_aside',
            field=models.JSONField(default=list, help_text='The labels that its training set aside, by source, key and night.'),
        ),
        migrations.RunPython(keep_sides, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='tweet',
            index=models.Index(condition=models.Q(('side', '')), fields=['id'], name='tweet_without_side'),
        ),
    ]
