from classifier import bundle, golden
from classifier.store import DEFAULT, ModelStore, shipped


def test_the_shipped_model_answers_as_when_it_was_trained():
    model = ModelStore().load(DEFAULT)
    stored = bundle.read_card(shipped())[golden.KEY]
    assert [one["text"] for one in stored] == golden.golden_texts()
    assert golden.differing(model, stored) == []


def test_another_label_decision_or_confidence_is_noticed(model):
    stored = golden.answers(model)
    assert golden.differing(model, stored) == []
    stored[0]["labels"]["category"] = "other"
    stored[2]["decision"] = "?"
    stored[3]["confidences"]["scope"] += 0.01
    stored[4]["confidences"]["scope"] += 0.0001
    assert golden.differing(model, stored) == [0, 2, 3]
