using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Weft.Registry.Blobs;

/// <summary>Uploads that have begun and not ended. They live as long as this process: a client that meets a new one is told to begin again.</summary>
internal sealed class Uploads(RegistryOptions options, BlobStore blobs, DiskReserve disk, TimeProvider time) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Upload> _open = new();

    internal int Count => _open.Count;

    internal Upload Begin()
    {
        if (_open.Count >= options.MaxUploads)
            throw new RegistryException(429, "TOOMANYREQUESTS", $"{options.MaxUploads} uploads are open: wait for one to end");
        disk.Require(0);
        // Whoever knows the id may write to it: it must not be guessed.
        var upload = new Upload(RandomNumberGenerator.GetHexString(32, lowercase: true), blobs.NewTemporary(), options, disk) { LastUse = time.GetUtcNow() };
        _open[upload.Id] = upload;
        return upload;
    }

    /// <summary>Takes the upload for one request; the lease gives it back, or ends it.</summary>
    internal Lease Take(string id)
    {
        if (!_open.TryGetValue(id, out var upload))
            throw RegistryException.UploadUnknown();
        if (!upload.TryTake())
            throw new RegistryException(409, "BLOB_UPLOAD_INVALID", "another request writes to this upload");
        // It may have ended between the look and the taking.
        if (!_open.ContainsKey(id))
            throw RegistryException.UploadUnknown();
        return new Lease(this, upload);
    }

    internal async Task GiveUpIdleAsync()
    {
        var before = time.GetUtcNow() - options.UploadPatience;
        foreach (var upload in _open.Values)
        {
            if (upload.LastUse < before && upload.TryTake())
                await EndAsync(upload);
        }
    }

    private async ValueTask EndAsync(Upload upload)
    {
        _open.TryRemove(upload.Id, out _);
        await upload.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var upload in _open.Values)
            await EndAsync(upload);
    }

    internal sealed class Lease(Uploads owner, Upload upload) : IAsyncDisposable
    {
        internal Upload Upload => upload;

        /// <summary>Set when the upload is over, well or not.</summary>
        internal bool Ends { get; set; }

        public async ValueTask DisposeAsync()
        {
            if (Ends)
            {
                await owner.EndAsync(upload);
                return;
            }

            upload.LastUse = owner.Now;
            upload.Release();
        }
    }

    private DateTimeOffset Now => time.GetUtcNow();
}
