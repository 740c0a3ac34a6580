using Weft.Registry.Names;

namespace Weft.Registry.Blobs;

/// <summary>
/// Content by digest, one file each. A file under its final name is whole and was checked against its digest: it gets the name by a rename after its
/// bytes were synced. A blob belongs to every repository, since its name says what it is.
/// </summary>
public sealed class BlobStore
{
    private readonly string _blobs;
    private readonly string _temporary;
    private readonly TimeProvider _time;

    // Between a client's "is it there?" and the collector's "nobody asked for it lately" the answer must be one or the other.
    private readonly Lock _gate = new();
    private long _names;

    internal BlobStore(string root, TimeProvider time)
    {
        _time = time;
        _blobs = Path.Combine(root, "blobs", "sha256");
        _temporary = Path.Combine(root, "uploads");
        Directory.CreateDirectory(_blobs);
        // Nothing in there outlives the process that wrote it.
        if (Directory.Exists(_temporary))
            Directory.Delete(_temporary, recursive: true);
        Directory.CreateDirectory(_temporary);
    }

    public string PathOf(Digest digest) => Path.Combine(_blobs, digest.Hex[..2], digest.Hex);

    /// <summary>Length of the blob, or null. Whoever asks may be about to push a manifest that needs it: the collector leaves it for a grace.</summary>
    public long? Find(Digest digest)
    {
        var file = new FileInfo(PathOf(digest));
        lock (_gate)
        {
            if (!file.Exists)
                return null;
            file.LastWriteTimeUtc = _time.GetUtcNow().UtcDateTime;
            return file.Length;
        }
    }

    /// <exception cref="FileNotFoundException">It is not here.</exception>
    public async Task<byte[]> ReadAsync(Digest digest, CancellationToken cancellationToken) => await File.ReadAllBytesAsync(PathOf(digest), cancellationToken);

    /// <summary>For small content that is in memory.</summary>
    public Digest Add(ReadOnlySpan<byte> content)
    {
        var digest = Digest.Of(content);
        if (Find(digest) is null)
            DurableFiles.Write(PathOf(digest), NewTemporary(), content);
        return digest;
    }

    internal string NewTemporary() => Path.Combine(_temporary, Interlocked.Increment(ref _names).ToString());

    /// <summary>Makes a synced temporary file, whose content was hashed, the blob of that digest.</summary>
    internal void Adopt(string temporary, Digest digest)
    {
        if (Find(digest) is not null)
            File.Delete(temporary);
        else
            DurableFiles.Publish(temporary, PathOf(digest));
    }

    internal IEnumerable<Digest> All() =>
        Directory.EnumerateFiles(_blobs, "*", SearchOption.AllDirectories).Select(file => Digest.TryParse("sha256:" + Path.GetFileName(file))).OfType<Digest>();

    /// <returns>False when somebody pushed or asked for it after <paramref name="before"/>, or it is gone.</returns>
    internal bool RemoveIfOlder(Digest digest, DateTimeOffset before)
    {
        var file = new FileInfo(PathOf(digest));
        lock (_gate)
        {
            if (!file.Exists || file.LastWriteTimeUtc >= before.UtcDateTime)
                return false;
            file.Delete();
            return true;
        }
    }
}
