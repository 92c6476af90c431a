# %%
from sqlalchemy import ForeignKey, String, create_engine, event, func, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

# %%
class Base(DeclarativeBase):
    pass

class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(30))
    books: Mapped[list["Book"]] = relationship(back_populates="author", order_by="Book.title")

    def __repr__(self):
        return f"Author({self.name!r})"

class Book(Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    pages: Mapped[int]
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    author: Mapped[Author] = relationship(back_populates="books")

# %%
engine = create_engine("sqlite:///library.db")
Base.metadata.drop_all(engine)
Base.metadata.create_all(engine)
sorted(Base.metadata.tables)

# %%
with Session(engine) as session:
    verne = Author(name="Jules Verne")
    verne.books = [Book(title="Mysterious Island", pages=620), Book(title="Around the World", pages=250)]  # edit: verne.books = [Book(title="Mysterious Island", pages=640), Book(title="Around the World", pages=250)]
    session.add_all([verne, Author(name="Mary Shelley", books=[Book(title="Frankenstein", pages=280)])])
    session.commit()

# %%
with Session(engine) as session:
    rows = session.execute(select(Author.name, func.sum(Book.pages)).join(Book).group_by(Author.name).order_by(Author.name)).all()
rows

# %%
with Session(engine) as session:
    for author in session.scalars(select(Author).order_by(Author.id)):
        print(author, [book.title for book in author.books])

# %%
with engine.connect() as connection:
    longest = connection.execute(text("select title, pages from book order by pages desc limit 1")).one()
tuple(longest)

# %%
statement = select(Book.title).where(Book.pages > 260).order_by(Book.title)
print(statement)

# %%
import pandas as pd

pd.read_sql("select * from book order by id", engine)
