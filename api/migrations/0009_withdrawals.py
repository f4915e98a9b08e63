from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('api', '0008_review_order'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='trainingrun',
            name='one_unfinished_run',
        ),
        migrations.AddField(
            model_name='modelversion',
            name='withdrawn',
            field=models.JSONField(default=list, help_text='The reviews that were taken out of its parent, if it came of that.'),
        ),
        migrations.AddField(
            model_name='trainingrun',
            name='kind',
            field=models.CharField(choices=[('training', 'Training'), ('withdrawal', 'Withdrawal')], default='training', max_length=20),
        ),
        migrations.AddConstraint(
            model_name='trainingrun',
            constraint=models.UniqueConstraint(condition=models.Q(('is_finished', False)), fields=('kind',), name='one_unfinished_run_of_a_kind'),
        ),
    ]
