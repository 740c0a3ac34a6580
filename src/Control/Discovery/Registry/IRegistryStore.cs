namespace Weft.Control.Discovery.Registry;

/// <summary>Where the registry keeps what it has acknowledged.</summary>
public interface IRegistryStore
{
    Task<IReadOnlyList<KeptRecord>> LoadAsync(CancellationToken cancellationToken);

    /// <summary>All or none, durable on return. A key stands once; a null value deletes.</summary>
    /// <exception cref="RegistryStoreException">Nothing was written.</exception>
    Task WriteAsync(IReadOnlyCollection<KeyValuePair<string, byte[]?>> writes, CancellationToken cancellationToken);

    /// <summary>How many writes one transaction takes.</summary>
    int MaxWrites { get; }
}

public sealed record KeptRecord(string Key, ReadOnlyMemory<byte> Value);

/// <summary>Nothing was written, and the registry is as it was: the disk is full, or the value too large.</summary>
public sealed class RegistryStoreException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>A request that cannot be done. The message is for the client.</summary>
public sealed class RegistryException(int status, string message) : Exception(message)
{
    public int Status => status;
}
