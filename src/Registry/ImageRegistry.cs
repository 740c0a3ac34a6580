using Microsoft.Extensions.Logging;
using Weft.Registry.Blobs;
using Weft.Registry.Manifests;
using Weft.Registry.Names;

namespace Weft.Registry;

/// <summary>An image by one of its names.</summary>
/// <param name="Bytes">Of configuration and layers; of an index, of the images that are here, each blob once.</param>
public sealed record StoredImage(RepositoryName Repository, string Tag, Digest Digest, string MediaType, long Bytes);

/// <summary>
/// The images of a cluster, in a directory. Everything is a file that appears by a rename, so that a reader, a crash and a loss of power see the old
/// state or the new one. Blobs come first, then the manifest that names them, then the tag that names the manifest.
/// </summary>
public sealed partial class ImageRegistry : IAsyncDisposable
{
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    // Who adds a manifest and who collects blobs must not pass each other: the blobs of a manifest are there when it is.
    private readonly SemaphoreSlim _manifests = new(1, 1);

    public ImageRegistry(RegistryOptions options, TimeProvider time, ILogger logger)
    {
        (Options, _time, _logger) = (options, time, logger);
        Blobs = new BlobStore(options.Root, time);
        Repositories = new Repositories(options.Root, Blobs, time);
        Uploads = new Uploads(options, Blobs, new DiskReserve(options.Root, options.DiskReserveBytes), time);
    }

    public RegistryOptions Options { get; }
    public BlobStore Blobs { get; }
    internal Repositories Repositories { get; }
    internal Uploads Uploads { get; }

    /// <summary>Adds a manifest under a tag or under its own digest.</summary>
    /// <exception cref="RegistryException">It is no manifest, another one than its digest says, or names a blob that is not here.</exception>
    public async Task<Digest> PutManifestAsync(RepositoryName repository, string reference, string? contentType, byte[] content, CancellationToken cancellationToken)
    {
        if (content.Length > Options.MaxManifestBytes)
            throw RegistryException.TooLarge("the manifest", Options.MaxManifestBytes);
        var digest = Digest.Of(content);
        var expected = Digest.TryParse(reference);
        if (expected is null && !Tags.IsValid(reference))
            throw RegistryException.ManifestInvalid($"'{reference}' is neither a tag (letters, digits, '.', '_', '-'; at most 128) nor a sha256 digest");
        if (expected is not null && expected != digest)
            throw RegistryException.DigestInvalid($"the manifest is {digest}, not {expected}");
        var manifest = Manifest.Parse(contentType, content);

        await _manifests.WaitAsync(cancellationToken);
        try
        {
            // Blobs alone: an index may name platforms whose images its owner does not have.
            foreach (var blob in manifest.Blobs)
            {
                if (Blobs.Find(blob) is null)
                    throw new RegistryException(404, "MANIFEST_BLOB_UNKNOWN", $"the manifest names blob {blob}, which was not pushed");
            }

            Blobs.Add(content);
            Repositories.Put(repository, digest, manifest.MediaType);
            if (expected is null)
                Repositories.PutTag(repository, reference, digest);
        }
        finally
        {
            _manifests.Release();
        }

        Log.Pushed(_logger, repository.Full, reference, digest.ToString());
        return digest;
    }

    /// <summary>The bytes of a manifest, or null.</summary>
    internal async Task<(Digest Digest, string MediaType, byte[] Content)?> GetManifestAsync(RepositoryName repository, string reference, CancellationToken cancellationToken)
    {
        if (Repositories.Find(repository, reference) is not var (digest, type))
            return null;
        Repositories.Touch(repository, digest);
        try
        {
            return (digest, type, await Blobs.ReadAsync(digest, cancellationToken));
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return null; // deleted between the two looks
        }
    }

    /// <summary>Removes a tag, or a manifest with all tags that name it. Its blobs go with the collector.</summary>
    internal async Task<bool> DeleteManifestAsync(RepositoryName repository, string reference, CancellationToken cancellationToken)
    {
        await _manifests.WaitAsync(cancellationToken);
        try
        {
            var deleted = Digest.TryParse(reference) is { } digest ? Repositories.RemoveManifest(repository, digest) : Repositories.RemoveTag(repository, reference);
            if (deleted)
                Log.Deleted(_logger, repository.Full, reference);
            return deleted;
        }
        finally
        {
            _manifests.Release();
        }
    }

    /// <summary>Removes a blob that no manifest names.</summary>
    /// <returns>Null when there was none.</returns>
    internal async Task<bool?> DeleteBlobAsync(Digest digest, CancellationToken cancellationToken)
    {
        await _manifests.WaitAsync(cancellationToken);
        try
        {
            if (!File.Exists(Blobs.PathOf(digest)))
                return null;
            return !(await Collector.ReachableAsync(this, cancellationToken)).Contains(digest) && Blobs.RemoveIfOlder(digest, DateTimeOffset.MaxValue);
        }
        finally
        {
            _manifests.Release();
        }
    }

    internal async Task<Manifest?> ReadManifestAsync(RepositoryName repository, Digest digest, CancellationToken cancellationToken)
    {
        if (Repositories.Find(repository, digest.ToString()) is not var (_, type))
            return null;
        try
        {
            return Manifest.Parse(type, await Blobs.ReadAsync(digest, cancellationToken));
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Gives up idle uploads and removes what nothing names any more. One pass; see <see cref="RunAsync"/>.</summary>
    public async Task CollectAsync(CancellationToken cancellationToken)
    {
        await Uploads.GiveUpIdleAsync();
        await _manifests.WaitAsync(cancellationToken);
        try
        {
            var now = _time.GetUtcNow();
            var manifests = await Collector.RemoveUntaggedAsync(this, now - Options.UntaggedGrace, cancellationToken);
            var reachable = await Collector.ReachableAsync(this, cancellationToken);
            var blobs = Blobs.All().Where(blob => !reachable.Contains(blob)).Count(blob => Blobs.RemoveIfOlder(blob, now - Options.BlobGrace));
            if (manifests + blobs > 0)
                Log.Collected(_logger, manifests, blobs);
        }
        finally
        {
            _manifests.Release();
        }
    }

    /// <summary>Housekeeping for as long as the registry stands.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var tick = new PeriodicTimer(Options.CollectEvery, _time);
        try
        {
            while (await tick.WaitForNextTickAsync(cancellationToken))
            {
                try
                {
                    await CollectAsync(cancellationToken);
                }
                catch (IOException failed)
                {
                    // A disk that fails now may not in ten minutes; pushes and pulls say for themselves what they meet.
                    Log.CollectingFailed(_logger, failed);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The end.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Uploads.DisposeAsync();
        _manifests.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "pushed {Repository} {Reference} ({Digest})")]
        public static partial void Pushed(ILogger logger, string repository, string reference, string digest);

        [LoggerMessage(LogLevel.Information, "deleted {Repository} {Reference}")]
        public static partial void Deleted(ILogger logger, string repository, string reference);

        [LoggerMessage(LogLevel.Information, "collected {Manifests} manifests and {Blobs} blobs that nothing names")]
        public static partial void Collected(ILogger logger, int manifests, int blobs);

        [LoggerMessage(LogLevel.Warning, "collecting unused blobs failed; the next try is in some minutes")]
        public static partial void CollectingFailed(ILogger logger, Exception failure);
    }
}
