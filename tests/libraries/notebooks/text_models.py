# %%
import gensim
import nltk
import regex
from gensim import corpora, models, similarities
from nltk.stem import PorterStemmer
from nltk.tokenize import RegexpTokenizer

# %%
documents = [
    "The cat sat on the mat and watched the other cats",
    "Dogs are chasing cats through the gardens",
    "Stocks rallied as traders were buying shares",
    "The market fell when traders sold their stocks",
    "A dog and a cat slept in the garden",
]

# %%
STOP = {"the", "and", "a", "on", "in", "as", "are", "were", "when", "their"}  # edit: STOP = {"the", "and", "a", "on", "in", "as", "are", "were", "when", "their", "through", "other"}
stemmer = PorterStemmer()
tokenizer = RegexpTokenizer(r"\w+")

def words(text):
    return [stemmer.stem(word) for word in tokenizer.tokenize(text.lower()) if word not in STOP]

# %%
tokens = [words(document) for document in documents]
tokens[:2]

# %%
frequencies = nltk.FreqDist(word for document in tokens for word in document)
frequencies.most_common(3)

# %%
list(nltk.bigrams(tokens[3]))[:3], nltk.edit_distance("garden", "gardener")

# %%
dictionary = corpora.Dictionary(tokens)
corpus = [dictionary.doc2bow(document) for document in tokens]
len(dictionary), corpus[0][:3]

# %%
tfidf = models.TfidfModel(corpus)
[(dictionary[word], round(weight, 3)) for word, weight in tfidf[corpus[1]]]

# %%
index = similarities.MatrixSimilarity(tfidf[corpus], num_features=len(dictionary))
[round(float(score), 3) for score in index[tfidf[dictionary.doc2bow(words("cats and dogs"))]]]

# %%
lda = models.LdaModel(corpus, num_topics=2, id2word=dictionary, random_state=0, passes=2)
[topic for topic, _ in lda.get_document_topics(corpus[2])], lda.num_topics

# %%
vectors = models.Word2Vec(tokens, vector_size=8, min_count=1, seed=1, workers=1, epochs=2)
vectors.wv["cat"].shape, "cat" in vectors.wv

# %%
grammar = nltk.CFG.fromstring("S -> N V N\nN -> 'dogs' | 'cats'\nV -> 'chase'")
for tree in nltk.ChartParser(grammar).parse("dogs chase cats".split()):
    print(tree)

# %%
pattern = regex.compile(r"(?P<word>\p{L}+)(?:\s+(?P<word>\p{L}+))*")
pattern.match("eins zwei drei").captures("word"), regex.findall(r"\bca\w+", documents[0], overlapped=True)
