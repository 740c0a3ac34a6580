using System.Buffers;
using System.Security.Cryptography;
using Weft.Registry.Names;

namespace Weft.Registry.Blobs;

/// <summary>One blob on its way in: a temporary file and the hash of what it holds so far, so that the last byte does not cost a second reading.</summary>
internal sealed class Upload : IAsyncDisposable
{
    private const int BufferBytes = 128 * 1024;

    // How often the disk is asked for its free space.
    private const long ReserveCheckBytes = 32 << 20;

    private readonly FileStream _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly RegistryOptions _options;
    private readonly DiskReserve _disk;
    private readonly string _path;
    private long _checkAt;
    private int _busy;

    internal Upload(string id, string path, RegistryOptions options, DiskReserve disk)
    {
        (Id, _path, _options, _disk) = (id, path, options, disk);
        _file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: false);
    }

    internal string Id { get; }
    internal long Length { get; private set; }
    internal DateTimeOffset LastUse { get; set; }

    /// <summary>One request at a time: bytes of two would be mixed.</summary>
    internal bool TryTake() => Interlocked.Exchange(ref _busy, 1) == 0;

    internal void Release() => Volatile.Write(ref _busy, 0);

    /// <summary>What has come counts even when the sender goes away in the middle: it may ask how far it got and go on from there.</summary>
    internal async Task AppendAsync(Stream content, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            while (await content.ReadAsync(buffer, cancellationToken) is var read and > 0)
            {
                if (Length + read > _options.MaxBlobBytes)
                    throw RegistryException.TooLarge("the blob", _options.MaxBlobBytes);
                if (Length + read > _checkAt)
                {
                    _disk.Require(ReserveCheckBytes);
                    _checkAt = Length + ReserveCheckBytes;
                }

                await _file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                _hash.AppendData(buffer, 0, read);
                Length += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    internal void Finish(Digest expected, BlobStore blobs)
    {
        var actual = Digest.FromHash(_hash.GetCurrentHash());
        if (actual != expected)
            throw RegistryException.DigestInvalid($"the content is {actual}, not {expected}: it was damaged on its way, or the digest belongs to other content");
        _file.Flush(flushToDisk: true);
        blobs.Adopt(_path, expected);
    }

    public async ValueTask DisposeAsync()
    {
        await _file.DisposeAsync();
        _hash.Dispose();
        File.Delete(_path); // nothing there when it became a blob
    }
}

/// <summary>Free space that a push must leave on the disk.</summary>
internal sealed class DiskReserve(string root, long reserve)
{
    internal void Require(long more)
    {
        var free = new DriveInfo(root).AvailableFreeSpace;
        if (free - more < reserve)
            throw new RegistryException(507, "DENIED", $"the disk of {root} has {free >> 20} MiB left, and {reserve >> 20} MiB of it stay free: remove images with 'weft image remove', or make room");
    }
}
