"""The public datasets: files, licences, and what their labels mean."""

from dataclasses import dataclass

from .readers import (
    IS_HARMLESS,
    IS_HATE,
    IS_HATEFUL,
    IS_NOT_HATE,
    IS_OFFENSIVE,
    IS_TOXIC,
    Reader,
    Unquoted,
    judge_abuse,
    judge_flag,
    judge_gab,
    judge_harm,
    judge_spans,
    make_reader,
    read_hatexplain,
    read_stormfront,
    restore_bytes,
    restore_lines,
)

_GITHUB = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class Dataset:
    """A dataset.

    Attributes
    ----------
    name, licence, citation, home : str
    meaning : str
        What its labels mean, in words.
    files : dict
        From the name of each file to its sha256; `None` if this release does not know it. Such a file is not downloaded, because
        it could not be verified.
    read : callable
        From the path of a file to its rows.
    url : str
        The address of the files, with "{}" for the name; "" if they are not downloaded.
    """

    name: str
    licence: str
    citation: str
    home: str
    meaning: str
    files: dict[str, str | None]
    read: Reader
    url: str = ""

    @property
    def can_be_downloaded(self) -> bool:
        return all(self.files.values())


DATASETS = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="davidson",
            licence="MIT",
            citation="Davidson, Warmsley, Macy and Weber (2017): Automated Hate Speech Detection and the Problem of Offensive"
            " Language. ICWSM.",
            home="https://github.com/t-davidson/hate-speech-and-offensive-language",
            meaning="class 0 is hate, class 1 (offensive language) toxic",
            files={"labeled_data.csv": "fcb8bc7c68120ae4af04a5b9acd58585513ede11e1548ebf36a5c2040b6f6281"},
            url=f"{_GITHUB}/t-davidson/hate-speech-and-offensive-language/cb50f7e/data/{{}}",
            read=make_reader("tweet", "class", judge={"0": IS_HATEFUL, "1": IS_OFFENSIVE, "2": IS_HARMLESS}.__getitem__),
        ),
        Dataset(
            name="hatexplain",
            licence="MIT",
            citation="Mathew, Saha, Yimam, Biemann, Goyal and Mukherjee (2021): HateXplain: A Benchmark Dataset for Explainable"
            " Hate Speech Detection. AAAI.",
            home="https://github.com/hate-alert/HateXplain",
            meaning="hatespeech is hate, offensive toxic, as most of the three annotators say",
            files={"dataset.json": None, "post_id_divisions.json": None},
            read=read_hatexplain,
        ),
        Dataset(
            name="dynahate",
            licence="none stated upstream; widely redistributed for research as CC BY 4.0",
            citation="Vidgen, Thrush, Waseem and Kiela (2021): Learning from the Worst: Dynamically Generated Datasets to Improve"
            " Online Hate Detection. ACL.",
            home="https://github.com/bvidgen/Dynamically-Generated-Hate-Speech-Dataset",
            meaning="hate is hate, nothate is not",
            files={"Dynamically Generated Hate Dataset v0.2.3.csv": None},
            read=make_reader(
                "text",
                "label",
                judge={"hate": IS_HATE, "nothate": IS_NOT_HATE, "1": IS_HATE, "0": IS_NOT_HATE}.__getitem__,
                split="split",
            ),
        ),
        Dataset(
            name="hatemoji_build",
            licence="CC BY 4.0",
            citation="Kirk, Vidgen, Rottger, Thrush and Hale (2022): Hatemoji: A Test Suite and Adversarially-Generated Dataset"
            " for Benchmarking and Detecting Emoji-Based Hate. NAACL.",
            home="https://github.com/HannahKirk/Hatemoji",
            meaning="label_gold 1 is hate",
            files={
                "train.csv": "2255818a5b10153876320068451be582ed876a2eefb22a250bd2f6478d1815e5",
                "validation.csv": "721094d44fceb923a0b3897935126a654bbb1f092b1fed6a74d80e4a845c6f43",
                "test.csv": "4b067b445c6445dbd4036d7c75dde21f72928bfd31db63d1c53d66226c53be99",
            },
            url=f"{_GITHUB}/HannahKirk/Hatemoji/a626f63/HatemojiBuild/{{}}",
            read=make_reader("text", "label_gold", judge=judge_flag, split="split", reference="entry_id"),
        ),
        Dataset(
            name="edos",
            licence="CC0 1.0",
            citation="Kirk, Yin, Vidgen and Rottger (2023): SemEval-2023 Task 10: Explainable Detection of Online Sexism.",
            home="https://github.com/rewire-online/edos",
            meaning="sexist is hate",
            files={"edos_labelled_aggregated.csv": "607bdbb766e1803a28f0eb8fc21c14b6b9dfa20039f726ba6767438584b47f9b"},
            url=f"{_GITHUB}/rewire-online/edos/b1f1fbc/data/{{}}",
            read=make_reader(
                "text",
                "label_sexist",
                judge={"sexist": IS_HATE, "not sexist": IS_NOT_HATE}.__getitem__,
                split="split",
                reference="rewire_id",
            ),
        ),
        Dataset(
            name="stormfront",
            licence="CC BY-SA 3.0 ES",
            citation="de Gibert, Perez, Garcia-Pablos and Cuadros (2018): Hate Speech Dataset from a White Supremacy Forum."
            " ALW2.",
            home="https://github.com/Vicomtech/hate-speech-dataset",
            meaning="hate is hate; sentences that cannot be judged alone are left open",
            files={"annotations_metadata.csv": None},
            read=read_stormfront,
        ),
        Dataset(
            name="twitter_sentiment",
            licence="none stated: use it to measure, and do not distribute what was trained on it",
            citation="Analytics Vidhya (2018): Twitter Sentiment Analysis practice problem.",
            home="https://github.com/prateekjoshi565/twitter_sentiment_analysis",
            meaning="label 1 (racist or sexist) is hate",
            files={"train_E6oV3lV.csv": "4f1bfabc2908029734fb2acd34028a8dfd1b92098bddfe60b0f0836c964e26ab"},
            url=f"{_GITHUB}/prateekjoshi565/twitter_sentiment_analysis/master/{{}}",
            read=make_reader("tweet", "label", judge=judge_flag, reference="id"),
        ),
        Dataset(
            name="wiegand",
            licence="CC BY 4.0",
            citation="Wiegand, Eder and Ruppenhofer (2022): Identifying Implicitly Abusive Remarks about Identity Groups using a"
            " Linguistically Informed Approach. NAACL.",
            home="https://github.com/miwieg/naacl2022_identity_groups",
            meaning="ABUSE is hate",
            files={"sentences.english.tsv": None},
            read=make_reader(
                "#SENTENCE_FROM_TWEET",
                "LABEL",
                judge={"ABUSE": IS_HATE, "OTHER": IS_NOT_HATE}.__getitem__,
                dialect=Unquoted,
            ),
        ),
        Dataset(
            name="toxigen",
            licence="MIT",
            citation="Hartvigsen, Gabriel, Palangi, Sap, Ray and Kamar (2022): ToxiGen: A Large-Scale Machine-Generated Dataset"
            " for Adversarial and Implicit Hate Speech Detection. ACL.",
            home="https://github.com/microsoft/TOXIGEN",
            meaning="toxicity_human of at least 4 is hate, of at most 2 neither hate nor toxic; what is between is left open",
            files={"toxigen_annotated_train.csv": None},
            read=make_reader("text", "toxicity_human", judge=judge_harm, restore=restore_bytes),
        ),
        Dataset(
            name="cad",
            licence="CC BY 4.0 as remembered, not verified: see its home",
            citation="Vidgen, Nguyen, Margetts, Rossini and Tromble (2021): Introducing CAD: the Contextual Abuse Dataset."
            " NAACL.",
            home="https://zenodo.org/records/4881008",
            meaning="IdentityDirectedAbuse is hate; PersonDirectedAbuse and AffiliationDirectedAbuse are toxic",
            files={"cad_v1_1_train.tsv": None},
            read=make_reader("text", "labels", judge=judge_abuse, reference="id", dialect=Unquoted, restore=restore_lines),
        ),
        Dataset(
            name="gab",
            licence="CC BY 4.0 as remembered, not verified: see its home",
            citation="Kennedy, Atari, Davani, Yeh and others (2022): Introducing the Gab Hate Corpus: Defining and Applying"
            " Hate-Based Rhetoric to Social Media Posts at Scale. Language Resources and Evaluation 56.",
            home="https://osf.io/edua3",
            meaning="hd and cv are hate, vo is toxic",
            files={"ghc_train.tsv": None},
            read=make_reader("text", "hd", "cv", "vo", judge=judge_gab, dialect="excel-tab"),
        ),
        Dataset(
            name="toxic_spans",
            licence="CC0",
            citation="Pavlopoulos, Laugier, Xenos, Sorensen and Androutsopoulos (2022): From the Detection of Toxic Spans in"
            " Online Discussions to the Analysis of Toxic-to-Civil Transfer. ACL.",
            home="https://github.com/ipavlopoulos/toxic_spans",
            meaning="toxic where most annotators marked a toxic span, and insult, threat and profanity likewise; the others are"
            " left open, and so is hate",
            files={"toxic_spans.csv": None},
            read=make_reader("text", "annotators", "any_span", "insult", "threat", "profane", judge=judge_spans),
        ),
        Dataset(
            name="context_toxicity",
            licence="Apache 2.0; the texts are of Wikipedia, CC BY-SA",
            citation="Pavlopoulos, Sorensen, Dixon, Thain and Androutsopoulos (2020): Toxicity Detection: Does Context Really"
            " Matter? ACL.",
            home="https://github.com/ipavlopoulos/context_toxicity",
            meaning="label 1 is toxic, and leaves hate open; label 0 is neither",
            files={"gn.csv": None},
            read=make_reader("text", "label", judge={"1": IS_TOXIC, "0": IS_HARMLESS}.__getitem__, reference="id"),
        ),
        Dataset(
            name="implicit_hate",
            licence="MIT",
            citation="ElSherief, Ziems, Muchlinski, Anupindi, Seybolt, De Choudhury and Yang (2021): Latent Hatred: A Benchmark"
            " for Understanding Implicit Hate Speech. EMNLP.",
            home="https://github.com/SALT-NLP/implicit-hate",
            meaning="implicit_hate and explicit_hate are hate; its labels are noisy",
            files={"implicit_hate_v1_stg1_posts.tsv": None},
            read=make_reader(
                "post",
                "class",
                judge={"implicit_hate": IS_HATE, "explicit_hate": IS_HATE, "not_hate": IS_NOT_HATE}.__getitem__,
                dialect="excel-tab",
            ),
        ),
        Dataset(
            name="measuring_hate_speech",
            licence="CC BY 4.0",
            citation="Kennedy, Bacon, Sahn and von Vacano (2020): Constructing Interval Variables via Faceted Rasch Measurement"
            " and Multitask Deep Learning: a Hate Speech Application. arXiv 2009.10277.",
            home="https://github.com/paul-rottger/efficient-low-resource-hate-detection",
            meaning="label 1 is hate; its annotators often call insults of one person hate",
            files={"ken20_train_20692.csv": None},
            read=make_reader("text", "label", judge=judge_flag),
        ),
    )
}
