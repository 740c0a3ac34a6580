namespace Weft.Storage;

/// <summary>There is no space for a write, and nothing of it was kept. What drivers throw; callers of the store see <see cref="StoreReadOnlyException"/>.</summary>
public sealed class DiskFullException(string message) : IOException(message);
