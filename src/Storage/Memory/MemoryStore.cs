namespace Weft.Storage.Memory;

/// <summary>A store that forgets everything at its end. For tests, and for a cluster that is thrown away.</summary>
public sealed class MemoryStore : LocalStore
{
    public MemoryStore(TimeProvider time, StoreOptions? options = null)
        : base(new MemoryDriver(), new Recovered(Tree.Node.Empty, Revision: 1, Compacted: 0), options ?? new StoreOptions(), time)
    {
    }
}
