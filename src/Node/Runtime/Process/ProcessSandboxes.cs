using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Weft.Node.Interop;
using Weft.Node.Network;
using Weft.Node.Network.Netlink;

namespace Weft.Node.Runtime.Process;

/// <summary>Sandboxes without a process: namespaces pinned as files, a cgroup, a directory for /tmp, and a link with an address.</summary>
internal sealed partial class ProcessSandboxes(ProcessRuntimeOptions options, TimeProvider time, ILogger<ProcessSandboxes> logger)
{
    private readonly ProcessPaths _paths = new(options);
    private readonly ConcurrentDictionary<string, SandboxInfo> _sandboxes = new();
    private readonly SemaphoreSlim _makes = new(options.ParallelStarts);
    private readonly PodNetwork _network = NetworkOf(options);

    public static PodNetwork NetworkOf(ProcessRuntimeOptions options) => new(NetworkOptions(options));

    public static CniOptions NetworkOptions(ProcessRuntimeOptions options)
    {
        var paths = new ProcessPaths(options);
        return new("weft-" + options.ClusterName, options.PodCidr, paths.Ipam, paths.CniCache, options.CniPath, HostLink.Mtu());
    }

    public IReadOnlyList<SandboxInfo> List() => [.. _sandboxes.Values];

    public SandboxInfo? Find(string id) => _sandboxes.GetValueOrDefault(id);

    public void Load()
    {
        var mounted = Mounts.List().Select(m => m.MountPoint).ToHashSet();
        foreach (var directory in Directory.EnumerateDirectories(_paths.Sandboxes))
        {
            var id = Path.GetFileName(directory);
            var stored = StateFile.Read<SandboxInfo>(Path.Combine(directory, "sandbox.json"));
            if (stored is not null)
                _sandboxes[id] = stored with { Ready = stored.Ready && mounted.Contains(Path.Combine(directory, "uts")) };
        }
    }

    public async Task<SandboxInfo> CreateAsync(string id, SandboxSpec spec, CancellationToken cancellationToken)
    {
        await _makes.WaitAsync(cancellationToken);
        try
        {
            return await MakeAsync(id, spec, cancellationToken);
        }
        finally
        {
            _makes.Release();
        }
    }

    private async Task<SandboxInfo> MakeAsync(string id, SandboxSpec spec, CancellationToken cancellationToken)
    {
        var from = time.GetTimestamp();
        var directory = _paths.Sandbox(id);
        // Written first, so that whatever happens later, a removal finds it.
        var sandbox = new SandboxInfo { Id = id, Spec = spec, CreatedAt = time.GetUtcNow(), Ready = false };
        Directory.CreateDirectory(directory, ProcessMachine.OwnerOnly);
        StateFile.Write(Path.Combine(directory, "sandbox.json"), sandbox);
        _sandboxes[id] = sandbox;
        try
        {
            Directory.CreateDirectory(_paths.Temporary(id), ProcessMachine.OwnerOnly);
            await NamespaceThread.CreateAsync(directory, spec.Hostname, network: !spec.HostNetwork, ipc: !spec.HostIpc);
            if (!spec.HostIpc)
            {
                var shm = Path.Combine(directory, "shm");
                Directory.CreateDirectory(shm);
                Mounts.Tmpfs(shm, "mode=1777,size=65536k");   // 64 MiB is the size every container runtime gives
            }

            var scratch = Path.Combine(directory, "scratch");
            Directory.CreateDirectory(scratch);
            // Counted against the memory limit of whoever writes; a pod that needs more than this mounts an emptyDir.
            Mounts.Tmpfs(scratch, "mode=755,size=128m");

            var namespaces = time.GetElapsedTime(from);
            var ips = spec.HostNetwork ? [] : await _network.AddAsync(id, _paths.Netns(id));
            sandbox = sandbox with { Ips = ips, Ready = true };
            StateFile.Write(Path.Combine(directory, "sandbox.json"), sandbox);
            _sandboxes[id] = sandbox;
            Log.Created(logger, spec.Namespace, spec.Name, time.GetElapsedTime(from).TotalMilliseconds, namespaces.TotalMilliseconds);
            return sandbox;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            await RemoveAsync(id, CancellationToken.None);
            if (e is OperationCanceledException)
                throw;
            throw new RuntimeException(RuntimeError.Sandbox, $"cannot set up the pod's network and namespaces: {e.Message}", e);
        }
    }

    public async Task RemoveAsync(string id, CancellationToken cancellationToken)
    {
        await StopAsync(id, cancellationToken);
        DirectoryRemoval.Delete(_paths.Sandbox(id));
        _sandboxes.TryRemove(id, out _);
    }

    public async Task StopAsync(string id, CancellationToken cancellationToken)
    {
        if (!_sandboxes.TryGetValue(id, out var sandbox))
            return;
        if (!sandbox.Spec.HostNetwork)
        {
            try
            {
                await _network.DeleteAsync(id, _paths.Netns(id));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Log.ReleaseFailed(logger, sandbox.Spec.Namespace, sandbox.Spec.Name, e);
            }
        }

        var directory = _paths.Sandbox(id);
        foreach (var name in new[] { "net", "ipc", "uts", "shm", "scratch" })
            Mounts.Unmount(Path.Combine(directory, name));
        ProcessMachine.RemoveCgroup($"{_paths.CgroupParent}/pod{sandbox.Spec.PodUid}");
        DirectoryRemoval.Delete(_paths.Temporary(id));
        _sandboxes[id] = sandbox with { Ready = false };
        StateFile.Write(Path.Combine(directory, "sandbox.json"), _sandboxes[id]);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Debug, "Sandbox of {Namespace}/{Pod} ready in {Milliseconds:F1} ms, of it namespaces {NamespaceMilliseconds:F1} ms", EventName = nameof(Created))]
        public static partial void Created(ILogger logger, string @namespace, string pod, double milliseconds, double namespaceMilliseconds);

        [LoggerMessage(LogLevel.Warning, "The address of {Namespace}/{Pod} could not be released", EventName = nameof(ReleaseFailed))]
        public static partial void ReleaseFailed(ILogger logger, string @namespace, string pod, Exception error);
    }
}
