using System.Collections.Concurrent;
using System.Globalization;
using Weft.Api.Core;
using Weft.Node.Interop;
using Weft.Node.Pods;
using Weft.Node.Runtime.Process;

namespace Weft.Node.Volumes;

/// <summary>
/// The volumes of pods on this machine. What comes from the API and may be secret stands on a memory file system below the run directory (never on a disk),
/// emptyDir below the data directory.
/// </summary>
internal sealed class PodVolumes(string runDir, PodDirectories directories, PodTokens tokens, NodeFacts node, TimeProvider time, LocalVolumes? claims = null)
{
    // Of a pod whose volume has its group: that is done once, because it may take long.
    private readonly ConcurrentDictionary<(string Uid, string Volume), bool> _owned = new();

    private string Memory => Path.Combine(runDir, "v");

    /// <summary>Once at start; the run directory is a shared mount by then.</summary>
    public void Prepare()
    {
        Directory.CreateDirectory(Memory, ProcessMachine.OwnerOnly);
        if (!Mounts.List().Any(m => m.MountPoint == Memory))
            Mounts.Tmpfs(Memory, "mode=700");
    }

    /// <summary>Asks for the pod's tokens while something else is made; what goes wrong shows when they are needed.</summary>
    public async Task PrefetchAsync(Pod pod, CancellationToken cancellationToken)
    {
        foreach (var source in pod.Spec.Volumes.SelectMany(v => v.Projected?.Sources ?? []))
        {
            if (source.ServiceAccountToken is { } wanted)
                await tokens.GetAsync(pod, wanted, cancellationToken);
        }
    }

    /// <summary>Makes what is missing and brings the rest up to date.</summary>
    /// <returns>Host path by volume name, and when a token wants to be renewed.</returns>
    /// <exception cref="VolumeException">Why a volume cannot be had.</exception>
    public async Task<(IReadOnlyDictionary<string, string> Paths, DateTimeOffset? RenewAt)> EnsureAsync(
        Pod pod, ReferencedObjects objects, IReadOnlyList<string> podIps, CancellationToken cancellationToken)
    {
        var uid = pod.Metadata.Uid!;
        var group = (uint?)pod.Spec.SecurityContext?.FsGroup;
        var paths = new Dictionary<string, string>();
        DateTimeOffset? renewAt = null;
        foreach (var volume in pod.Spec.Volumes)
        {
            try
            {
                if (volume.EmptyDir is { } empty)
                    paths[volume.Name] = EmptyDir(uid, volume.Name, empty, group);
                else if (volume.HostPath is { } host)
                    paths[volume.Name] = HostPaths.Resolve(host);
                else if (volume.PersistentVolumeClaim is { } claim && claims is not null)
                    paths[volume.Name] = await claims.ResolveAsync(pod, claim.ClaimName, cancellationToken);
                else if (volume.Ephemeral is not null && claims is not null)
                    paths[volume.Name] = await claims.ResolveAsync(pod, $"{pod.Metadata.Name}-{volume.Name}", cancellationToken);
                else if (volume is { ConfigMap: not null } or { Secret: not null } or { DownwardAPI: not null } or { Projected: not null })
                {
                    var issued = new List<string>();
                    foreach (var source in volume.Projected?.Sources ?? [])
                    {
                        if (source.ServiceAccountToken is not { } wanted)
                            continue;
                        var (token, renew) = await tokens.GetAsync(pod, wanted, cancellationToken);
                        issued.Add(token);
                        renewAt = renewAt is null || renew < renewAt ? renew : renewAt;
                    }
                    var files = VolumePayload.Build(pod, volume, objects, podIps, node, issued);
                    paths[volume.Name] = Path.Combine(Memory, uid, volume.Name);
                    AtomicWriter.Write(paths[volume.Name], files, group, time.GetUtcNow().ToString("yyyy_MM_dd_HH_mm_ss.fffffff", CultureInfo.InvariantCulture));
                }
                else
                {
                    throw new VolumeException("pods of this node can mount configMap, secret, projected, downwardAPI, emptyDir, hostPath, persistentVolumeClaim and ephemeral volumes; this is none of them");
                }
                if (group is { } owner && paths.TryGetValue(volume.Name, out var own) && IsOwnClaim(volume, own) && !_owned.ContainsKey((uid, volume.Name)))
                {
                    FsGroup.Apply(own, owner, pod.Spec.SecurityContext?.FsGroupChangePolicy == "OnRootMismatch");
                    _owned[(uid, volume.Name)] = true;
                }
            }
            catch (Exception e) when (e is VolumeException or IOException or UnauthorizedAccessException or Weft.Client.ApiStatusException)
            {
                throw new VolumeException($"volume \"{volume.Name}\": {e.Message}");
            }
        }
        return (paths, renewAt);
    }

    // Of claims, only those whose directory the node itself has made: what else the machine holds is not a pod's to give away.
    private bool IsOwnClaim(Volume volume, string path) =>
        (volume.Ephemeral is not null || volume.PersistentVolumeClaim is { ReadOnly: not true }) && path.StartsWith(Path.Combine(directories.DataDir, "volumes") + "/", StringComparison.Ordinal);

    private string EmptyDir(string uid, string name, EmptyDirVolumeSource source, uint? group)
    {
        if (source.Medium is not (null or "" or "Memory"))
            throw new VolumeException($"emptyDir medium '{source.Medium}' is not supported: leave it out, or use Memory");
        var inMemory = source.Medium == "Memory";
        var path = inMemory ? Path.Combine(runDir, "m", uid, name) : directories.Volume(uid, name);
        if (!Directory.Exists(path) || (inMemory && !Mounts.List().Any(m => m.MountPoint == path)))
        {
            Directory.CreateDirectory(path);
            if (inMemory)
                Mounts.Tmpfs(path, source.SizeLimit is { } limit && limit.Units > 0 ? $"mode=777,size={limit.Units}" : "mode=777");
            // 0777 as the kubelet makes it; with fsGroup its members also inherit the group (setgid).
            Libc.Check(Libc.chmod(path, 0b111_111_111 | (group is null ? 0u : 0b010_000_000_000)), $"chmod {path}");
            if (group is { } gid)
                Libc.Check(Libc.lchown(path, 0, gid), $"chown {path}");
        }
        return path;
    }

    /// <summary>A place below a volume, pinned for one container.</summary>
    public string SubPath(string uid, string container, string volumePath, string sub)
    {
        var pin = Path.Combine(runDir, "p", uid, $"{container}-{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(volumePath + "\0" + sub)))[..12]}");
        return SubPaths.Pin(volumePath, sub, pin);
    }

    /// <summary>Takes away the volumes of a pod that has ended. emptyDir goes too: its data lives as long as the pod.</summary>
    /// <exception cref="IOException">Something is mounted below one and cannot be detached.</exception>
    public void Remove(string uid)
    {
        DirectoryRemoval.Delete(Path.Combine(runDir, "m", uid), Path.Combine(runDir, "p", uid), Path.Combine(Memory, uid), Path.Combine(directories.Pod(uid), "volumes"));
        tokens.Forget(uid);
        claims?.Release(uid);
        foreach (var key in _owned.Keys.Where(k => k.Uid == uid))
            _owned.TryRemove(key, out _);
    }
}
