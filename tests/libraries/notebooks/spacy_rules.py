# %%
import spacy
from spacy.matcher import Matcher
from spacy.tokens import Doc, Span

# %%
nlp = spacy.blank("en")
nlp.add_pipe("sentencizer")
nlp.pipe_names

# %%
text = "Ada paid 20 EUR for a book. Then Bob sold it for 15 EUR in Paris! Nobody else paid."
doc = nlp(text)
[sentence.text for sentence in doc.sents]

# %%
[(token.text, token.is_alpha, token.like_num) for token in doc[:5]]

# %%
matcher = Matcher(nlp.vocab)
matcher.add("PRICE", [[{"LIKE_NUM": True}, {"ORTH": "EUR"}]])
[doc[start:end].text for _, start, end in matcher(doc)]

# %%
ruler = nlp.add_pipe("entity_ruler")
ruler.add_patterns([{"label": "PERSON", "pattern": "Ada"}, {"label": "GPE", "pattern": "Paris"}])  # edit: ruler.add_patterns([{"label": "PERSON", "pattern": "Ada"}, {"label": "PERSON", "pattern": "Bob"}])
nlp.pipe_names

# %%
[(entity.text, entity.label_) for entity in nlp(text).ents]

# %%
@spacy.Language.component("shouts")
def shouts(doc):
    doc.user_data["shouts"] = sum(token.text == "!" for token in doc)
    return doc

nlp.add_pipe("shouts", last=True)
nlp(text).user_data

# %%
Doc.set_extension("prices", getter=lambda doc: [int(token.text) for token in doc if token.like_num], force=True)
nlp("3 apples for 4 EUR")._.prices

# %%
counts = {}
for document in nlp.pipe(["one cat", "two cats and a dog", "a dog"]):
    for token in document:
        counts[token.lower_] = counts.get(token.lower_, 0) + 1
sorted(counts.items())

# %%
span = Span(doc, 0, 2, label="START")
span.text, span.label_, span.end_char
