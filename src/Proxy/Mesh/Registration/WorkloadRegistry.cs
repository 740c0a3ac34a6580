using System.Collections.Frozen;
using System.Net;
using System.Text.Json;

namespace Weft.Proxy.Mesh.Registration;

/// <summary>
/// The meshed pods of this node. On disk before it is said to be so: a proxy that starts anew knows its pods before the agent has said a word, and what they
/// send is not taken for a stranger's. Changed by one thread at a time, read by any.
/// </summary>
internal sealed class WorkloadRegistry : ILocalWorkloads
{
    private const int Format = 1;

    // Far above the pods that a node can have (110, or some hundreds by choice).
    private const int MostPods = 4096;

    private readonly string _path;
    private readonly Dictionary<string, RegisteredPod> _pods = [];
    private HashSet<string>? _named;   // since `begin`
    private FrozenDictionary<IPAddress, LocalWorkload> _byAddress = FrozenDictionary<IPAddress, LocalWorkload>.Empty;

    private readonly Action<LocalWorkload>? _came;

    private WorkloadRegistry(string path, Action<LocalWorkload>? came) => (_path, _came) = (path, came);

    public int Count => _pods.Count;

    /// <summary>Begins with what an earlier proxy knew. A file that cannot be read is one that is not there: the agent tells everything again.</summary>
    /// <param name="state">The proxy's own directory.</param>
    /// <param name="came">Hears of each pod that is known from now on, the first ones too.</param>
    public static WorkloadRegistry Load(string state, Action<LocalWorkload>? came = null)
    {
        var registry = new WorkloadRegistry(Path.Combine(state, "workloads.json"), came);
        try
        {
            if (JsonSerializer.Deserialize(File.ReadAllBytes(registry._path), RegistrationJson.Default.RegistrationFile) is { Format: Format, Pods: { } pods })
            {
                foreach (var pod in pods.Where(pod => pod?.Check() is null && pod is not null).Take(MostPods))
                {
                    registry._pods[pod.Uid] = pod;
                    came?.Invoke(pod.Workload());
                }
            }
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException or JsonException)
        {
            // The first start, or a crash of the machine.
        }
        registry.Publish();
        return registry;
    }

    LocalWorkload? ILocalWorkloads.Find(IPAddress address) => Find(address);

    internal LocalWorkload? Find(IPAddress address) => Volatile.Read(ref _byAddress).GetValueOrDefault(address);

    /// <summary>Does what the agent says.</summary>
    /// <returns>Why not; null: done, and on disk.</returns>
    /// <exception cref="IOException">It cannot be kept; nothing has changed for readers.</exception>
    internal string? Apply(RegistrationOrder order)
    {
        switch (order)
        {
            case { Do: "begin" }:
                _named = [];
                return null;
            case { Do: "add", Pod: { } pod }:
                if (pod.Check() is { } wrong)
                    return wrong;
                if (_pods.Count >= MostPods && !_pods.ContainsKey(pod.Uid))
                    return $"more than {MostPods} pods";
                _named?.Add(pod.Uid);
                _pods[pod.Uid] = pod;
                _came?.Invoke(pod.Workload());
                break;
            case { Do: "end" } when _named is { } named:
                _named = null;
                foreach (var uid in _pods.Keys.Where(uid => !named.Contains(uid)).ToList())
                    _pods.Remove(uid);
                break;
            case { Do: "remove", Uid: { } uid }:
                _named?.Remove(uid);
                if (!_pods.Remove(uid))
                    return null;
                break;
            default:
                return $"'{order.Do}' is no order, or lacks a part";
        }
        // Within a list it is one write, at the end.
        if (_named is null)
            Save();
        Publish();
        return null;
    }

    private void Publish()
    {
        var byAddress = new Dictionary<IPAddress, LocalWorkload>();
        // Of two with one address the later one has it: the end of the other was not heard of.
        foreach (var pod in _pods.Values)
        {
            var workload = pod.Workload();
            foreach (var address in pod.Addresses)
                byAddress[IPAddress.Parse(address)] = workload;
        }
        Volatile.Write(ref _byAddress, byAddress.ToFrozenDictionary());
    }

    private void Save()
    {
        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var temporary = _path + ".tmp";
        File.Delete(temporary);
        using (var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Private }))
            JsonSerializer.Serialize(file, new RegistrationFile(Format, [.. _pods.Values]), RegistrationJson.Default.RegistrationFile);
        // Not flushed to the disk: pods do not outlive the machine, only the proxy's process.
        File.Move(temporary, _path, overwrite: true);
    }
}
