using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Node.Interop;

namespace Weft.Node.Volumes;

/// <summary>
/// Persistent volumes on this node. Volumes of `weft.dev/local` are directories below one directory of the agent, each named after its volume; the node
/// says in an annotation which directory that is. A directory is made when a pod first uses it, and removed when its volume is deleted: then the
/// finalizer `weft.dev/local-volume` is taken off, which lets the volume go.
/// </summary>
internal sealed partial class LocalVolumes : IAsyncDisposable
{
    internal const string Annotation = "weft.dev/local-volumes";
    internal const string Finalizer = "weft.dev/local-volume";
    private const string ProvisionedBy = "pv.kubernetes.io/provisioned-by";
    private const string Provisioner = "weft.dev/local";
    private static readonly Backoff Again = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));

    private readonly CancellationTokenSource _stop = new();
    private readonly KubeClient _client;
    private readonly string _root;
    private readonly Informer<PersistentVolume> _volumes;
    private readonly WorkQueue<ObjectKey> _queue;
    private readonly ILogger _logger;
    private readonly SolePods _sole = new();
    private Task _running = Task.CompletedTask;

    private LocalVolumes(KubeClient client, string dataDir, TimeProvider time, Random random, Action<ApiResource, Exception> onError, ILogger logger)
    {
        _client = client;
        _root = Path.Combine(dataDir, "volumes");
        _volumes = new Informer<PersistentVolume>(client.For<PersistentVolume>(), time, random, onError);
        _queue = new WorkQueue<ObjectKey>(time, random, Again);
        _logger = logger;
    }

    /// <summary>Says where this node keeps volumes, and follows them from then on.</summary>
    public static async Task<LocalVolumes> StartAsync(
        KubeClient client, string nodeName, string dataDir, TimeProvider time, Random random, Action<ApiResource, Exception> onError, ILogger logger, CancellationToken cancellationToken)
    {
        var volumes = new LocalVolumes(client, dataDir, time, random, onError, logger);
        Directory.CreateDirectory(volumes._root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var annotation = new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [Annotation] = volumes._root } } };
        await client.For<Api.Core.Node>().PatchAsync(new ObjectKey("", nodeName), Patch.Merge(annotation), cancellationToken);
        volumes._volumes.Cache.Subscribe(change =>
        {
            if (change.New is { } volume && volume.Metadata.DeletionTimestamp is not null && volumes.IsOwn(volume))
                volumes._queue.Add(new ObjectKey("", volume.Metadata.Name ?? ""));
        });
        volumes._running = Task.WhenAll(volumes._volumes.RunAsync(volumes._stop.Token), volumes._queue.WorkAsync(volumes.RemoveAsync, volumes.Failed, volumes._stop.Token));
        return volumes;
    }

    /// <summary>The path of a pod's claim on this machine; a volume's own directory is made when it is missing.</summary>
    /// <exception cref="VolumeException">Why there is none (yet).</exception>
    public async Task<string> ResolveAsync(Pod pod, string claimName, CancellationToken cancellationToken)
    {
        var @namespace = pod.Metadata.Namespace ?? "";
        var claim = await _client.For<PersistentVolumeClaim>().FindAsync(new ObjectKey(@namespace, claimName), cancellationToken)
            ?? throw new VolumeException($"persistentvolumeclaim \"{claimName}\" not found");
        if (claim.Status.Phase != "Bound" || string.IsNullOrEmpty(claim.Spec.VolumeName))
            throw new VolumeException($"persistentvolumeclaim \"{claimName}\" is not bound to a volume (its status is {claim.Status.Phase ?? "Pending"}): kubectl describe pvc {claimName} -n {@namespace}");
        var volume = await _client.For<PersistentVolume>().FindAsync(new ObjectKey("", claim.Spec.VolumeName), cancellationToken)
            ?? throw new VolumeException($"persistentvolume \"{claim.Spec.VolumeName}\" of claim \"{claimName}\" not found");
        if (volume.Spec.ClaimRef?.Uid != claim.Metadata.Uid)
            throw new VolumeException($"persistentvolume \"{claim.Spec.VolumeName}\" belongs to another claim than \"{claimName}\"");
        var path = PathOf(volume);
        if (claim.Spec.AccessModes.Contains("ReadWriteOncePod"))
            _sole.Take(new ObjectKey(@namespace, claimName), pod, NodePods());
        return path;
    }

    /// <summary>The pods of this node, which decide about claims that are one pod's alone. Set before the first pod asks.</summary>
    public Func<IEnumerable<Pod>> NodePods { private get; set; } = () => [];

    /// <summary>The pod has ended: what was its alone may be another's.</summary>
    public void Release(string podUid) => _sole.Release(podUid);

    /// <exception cref="VolumeException">The volume is of another type, or its path cannot be used.</exception>
    internal string PathOf(PersistentVolume volume)
    {
        if (volume.Spec.VolumeMode == "Block")
            throw new VolumeException("block volumes are not supported");
        if (volume.Spec.HostPath is { } host)
            return HostPaths.Resolve(host);
        if (volume.Spec.Local is not { } local)
            throw new VolumeException($"persistentvolume \"{volume.Metadata.Name}\" is neither a local nor a hostPath volume: no other type can be mounted");
        if (!IsOwn(volume))
            return HostPaths.Resolve(new HostPathVolumeSource { Path = local.Path, Type = "Directory" });

        if (volume.Metadata.DeletionTimestamp is not null)
            throw new VolumeException($"persistentvolume \"{volume.Metadata.Name}\" is being deleted");
        if (!Directory.Exists(local.Path))
        {
            Directory.CreateDirectory(local.Path);
            // Whichever user the container has, as other provisioners of directories do.
            Libc.Check(Libc.chmod(local.Path, 0b111_111_111), $"chmod {local.Path}");
        }
        return local.Path;
    }

    /// <summary>Made by the provisioner for this node: the path is exactly the one it would give the volume, so that no other directory is ever removed.</summary>
    internal bool IsOwn(PersistentVolume volume) =>
        volume.Metadata.Annotations.GetValueOrDefault(ProvisionedBy) == Provisioner
        && volume.Metadata.Name is { Length: > 0 } name && !name.Contains('/') && name is not ("." or "..")
        && volume.Spec.Local?.Path == Path.Combine(_root, name);

    private async Task RemoveAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        try
        {
            if (_volumes.Cache.Find(key) is { } volume)
                await RemoveAsync(volume, cancellationToken);
        }
        catch (ApiStatusException gone) when (gone.IsNotFound)
        {
            // Nothing is left to do.
        }
    }

    private void Failed(ObjectKey key, Exception failure, TimeSpan delay)
    {
        if (failure is ApiStatusException or HttpRequestException or IOException or UnauthorizedAccessException or JsonException)
            Log.NotRemoved(_logger, key.Name, delay.TotalSeconds, failure.Message);
        else
            Log.Broke(_logger, failure, key.Name, delay.TotalSeconds);
    }

    private async Task RemoveAsync(PersistentVolume volume, CancellationToken cancellationToken)
    {
        // While its claim lives, a pod may still write: Kubernetes' protection holds the volume as long as it is bound.
        if (volume.Status.Phase == "Bound" || !volume.Metadata.Finalizers.Contains(Finalizer))
            return;
        DirectoryRemoval.Delete(Path.Combine(_root, volume.Metadata.Name!));
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["uid"] = volume.Metadata.Uid, ["resourceVersion"] = volume.Metadata.ResourceVersion,
                ["finalizers"] = new JsonArray([.. volume.Metadata.Finalizers.Where(name => name != Finalizer).Select(name => (JsonNode)name)]),
            },
        };
        await _client.For<PersistentVolume>().PatchAsync(new ObjectKey("", volume.Metadata.Name!), Patch.Merge(patch), cancellationToken);
        Log.Removed(_logger, volume.Metadata.Name!);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _queue.Dispose();
        _stop.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "The directory of volume {Volume} is removed", EventName = nameof(Removed))]
        public static partial void Removed(ILogger logger, string volume);

        [LoggerMessage(LogLevel.Warning, "The directory of volume {Volume} could not be removed, and is tried again in {Seconds:0.0} s: {Cause}", EventName = nameof(NotRemoved))]
        public static partial void NotRemoved(ILogger logger, string volume, double seconds, string cause);

        [LoggerMessage(LogLevel.Error, "The directory of volume {Volume} could not be removed, again in {Seconds:0.0} s", EventName = nameof(Broke))]
        public static partial void Broke(ILogger logger, Exception exception, string volume, double seconds);
    }
}
