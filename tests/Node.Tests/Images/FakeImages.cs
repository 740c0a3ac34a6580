using System.Collections.Concurrent;
using Weft.Node.Runtime;

namespace Weft.Node.Tests.Images;

/// <summary>Images at the seam: what a registry would have, and what is here. Pulls wait while the gate is closed.</summary>
internal sealed class FakeImages : IImages
{
    private readonly ConcurrentDictionary<string, ImageInfo> _here = new();
    private readonly ConcurrentDictionary<string, ImageInfo> _remote = new();

    public ConcurrentQueue<string> Pulls { get; } = new();
    public ConcurrentQueue<IReadOnlyList<RegistryCredential>> Credentials { get; } = new();
    public TaskCompletionSource Gate { get; set; } = Opened();
    public int AtOnce;
    public int MostAtOnce;

    public static ImageInfo Image(string name, long? uid = null, string? user = null, long bytes = 100, bool pinned = false) =>
        new("sha256:" + name, [name], [name.Split(':')[0] + "@sha256:" + new string('a', 64)], bytes, uid, user, pinned);

    public static TaskCompletionSource Opened()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        gate.SetResult();
        return gate;
    }

    public ImageInfo Have(string name, long? uid = null, string? user = null) => _here[name] = Image(name, uid, user);

    public void Offer(string name, long? uid = null) => _remote[name] = Image(name, uid);

    public Task<ImageInfo?> FindAsync(string image, CancellationToken cancellationToken) => Task.FromResult(_here.GetValueOrDefault(image));

    public async Task<ImageInfo> PullAsync(string image, IReadOnlyList<RegistryCredential> credentials, CancellationToken cancellationToken)
    {
        Pulls.Enqueue(image);
        Credentials.Enqueue(credentials);
        var now = Interlocked.Increment(ref AtOnce);
        InterlockedMax(ref MostAtOnce, now);
        try
        {
            await Gate.Task.WaitAsync(cancellationToken);
            return _here[image] = _remote.GetValueOrDefault(image) ?? throw new RuntimeException(RuntimeError.Image, $"{image}: not found");
        }
        finally
        {
            Interlocked.Decrement(ref AtOnce);
        }
    }

    public Task<IReadOnlyList<ImageInfo>> ListAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<ImageInfo>>([.. _here.Values]);

    public Task RemoveAsync(string imageId, CancellationToken cancellationToken)
    {
        foreach (var name in _here.Where(i => i.Value.Id == imageId).Select(i => i.Key))
            _here.TryRemove(name, out _);
        return Task.CompletedTask;
    }

    public Task<ImageStoreUsage> UsageAsync(CancellationToken cancellationToken) => Task.FromResult(new ImageStoreUsage(_here.Values.Sum(i => i.Bytes), Path.GetTempPath()));

    private static void InterlockedMax(ref int target, int value)
    {
        for (var seen = Volatile.Read(ref target); value > seen; seen = Volatile.Read(ref target))
            Interlocked.CompareExchange(ref target, value, seen);
    }
}
