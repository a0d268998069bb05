from streamcore._not_copyable import NotCopyable as Uncopied  # until the merge
__all__ = ["Uncopied"]
