from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('api', '0003_superseded_labels'),
    ]

    operations = [
        migrations.CreateModel(
            name='KeyUsage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=64)),
                ('day', models.DateField()),
                ('rows', models.PositiveIntegerField(default=0)),
                ('characters', models.PositiveBigIntegerField(default=0)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('key', 'day'), name='one_usage_of_a_key_per_day')],
            },
        ),
    ]
