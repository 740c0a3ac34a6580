using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Weft.Api.Core;
using Weft.Api.Istio;
using Weft.Client;
using Weft.Node.Network.Services;
using Weft.Node.Pods;
using Weft.Node.Runtime;

namespace Weft.Node.Network.Mesh;

/// <summary>
/// The meshed pods of this node. A pod joins after it has its addresses and before its first container starts: first it is captured, then the proxy learns who
/// it is. Whether it is meshed at all is decided then and holds for the life of its network; it is written down with the pod, for the next run of the agent.
/// </summary>
internal sealed class MeshPods : IAsyncDisposable
{
    private const string FileName = "mesh.json";

    // A proxy that is killed serves again after a fifth of a second.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // What is here, in the file and told to the proxy changes together: who left is not told again by an update that began before.
    private readonly Lock _gate = new();
    private readonly Dictionary<string, MeshedPod> _pods = [];
    private readonly PodDirectories _directories;
    private readonly Func<string, CancellationToken, Task<Namespace>> _namespaceOf;
    private readonly TimeProvider _time;
    private readonly PodCapture _capture;
    private readonly MeshRegistrar _registrar;

    private MeshPods(PodDirectories directories, Func<string, CancellationToken, Task<Namespace>> namespaceOf, PodCapture capture, MeshRegistrar registrar, IEnumerable<MeshedPod> pods, TimeProvider time)
    {
        (_directories, _namespaceOf, _capture, _registrar, _time) = (directories, namespaceOf, capture, registrar, time);
        foreach (var pod in pods)
            _pods[pod.Uid] = pod;
    }

    /// <summary>Returns when the pods that an earlier run left here are captured as they were.</summary>
    /// <param name="socket">Of the node's proxy.</param>
    /// <param name="namespaceOf">Fails while a namespace is not known.</param>
    /// <exception cref="IOException">The rules cannot be set.</exception>
    public static Task<MeshPods> StartAsync(
        ServiceNetwork network, string socket, PodDirectories directories, Func<string, CancellationToken, Task<Namespace>> namespaceOf, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken) =>
        StartAsync(new CaptureKernel(network), socket, directories, namespaceOf, time, loggers, cancellationToken);

    internal static async Task<MeshPods> StartAsync(
        ICaptureKernel kernel, string socket, PodDirectories directories, Func<string, CancellationToken, Task<Namespace>> namespaceOf, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var pods = Recorded(directories);
        var capture = await PodCapture.StartAsync(kernel, pods, time, loggers.CreateLogger<PodCapture>(), cancellationToken);
        return new MeshPods(directories, namespaceOf, capture, new MeshRegistrar(socket, pods, time, loggers.CreateLogger<MeshRegistrar>()), pods, time);
    }

    /// <summary>Returns when the pod may start. Again for the same pod: with its new addresses, if it has others.</summary>
    /// <exception cref="RuntimeException">The proxy does not answer. The pod is captured already, and waits.</exception>
    public async Task JoinAsync(Pod pod, IReadOnlyList<string> addresses, CancellationToken cancellationToken)
    {
        var uid = pod.Metadata.Uid!;
        if (!MeshMembership.IsMeshed(pod, await _namespaceOf(pod.Metadata.Namespace ?? "", cancellationToken), isOn: true))
        {
            await LeaveAsync(uid, cancellationToken);
            return;
        }
        var meshed = new MeshedPod
        {
            Uid = uid,
            Addresses = [.. addresses.Where(address => IPAddress.TryParse(address, out var ip) && ip.AddressFamily == AddressFamily.InterNetwork)],
            Namespace = pod.Metadata.Namespace ?? "",
            Name = pod.Metadata.Name ?? "",
            ServiceAccount = pod.Spec.ServiceAccountName is { Length: > 0 } account ? account : "default",
            Labels = pod.Metadata.Labels.ToDictionary(),
        };
        await _capture.SetAsync(uid, meshed.Addresses, cancellationToken);
        Task known;
        lock (_gate)
        {
            _pods[uid] = meshed;
            Record(meshed);
            known = _registrar.RegisterAsync(meshed);
        }
        try
        {
            await known.WaitAsync(Patience, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new RuntimeException(RuntimeError.Sandbox, $"the node's proxy does not take the pod into the mesh ({_registrar.Trouble ?? "it does not answer"}); its containers start when it does");
        }
    }

    /// <summary>The labels by which policies and routes know it may change while it runs.</summary>
    public void Update(Pod pod)
    {
        lock (_gate)
        {
            if (!_pods.TryGetValue(pod.Metadata.Uid!, out var known))
                return;
            var now = known with { Labels = pod.Metadata.Labels.ToDictionary() };
            if (now.IsSame(known))
                return;
            _pods[now.Uid] = now;
            try
            {
                Record(now);
            }
            catch (Exception full) when (full is IOException or UnauthorizedAccessException)
            {
                // The next run of the agent begins with older labels, until the pod's next change.
            }
            _ = _registrar.RegisterAsync(now);
        }
    }

    /// <summary>Nothing of the pod runs any more. To be called before its addresses are given back: the next pod that has one is not captured for it.</summary>
    /// <remarks>What fails is done by the next call. Also of a pod that never joined to the end: it may be captured.</remarks>
    /// <exception cref="IOException">The kernel refused, or the pod's file stays.</exception>
    public async Task LeaveAsync(string uid, CancellationToken cancellationToken)
    {
        await _capture.RemoveAsync(uid, cancellationToken);
        lock (_gate)
        {
            if (!_pods.ContainsKey(uid))
                return;
            _registrar.Unregister(uid);
            if (FileOf(uid) is var file && File.Exists(file))
                File.Delete(file);
            _pods.Remove(uid);
        }
    }

    /// <summary>Forgets pods that are not here any more.</summary>
    public async Task RetainAsync(IReadOnlySet<string> uids, CancellationToken cancellationToken)
    {
        List<string> gone;
        lock (_gate)
            gone = [.. _pods.Keys.Where(uid => !uids.Contains(uid))];
        foreach (var uid in gone)
            await LeaveAsync(uid, cancellationToken);
    }

    /// <summary>How many requests the node's proxy has sent since it started, by address.</summary>
    /// <exception cref="IOException">It is away, or does not count.</exception>
    /// <exception cref="TimeoutException">It takes too long.</exception>
    public Task<IReadOnlyDictionary<string, long>> RequestsAsync(CancellationToken cancellationToken) => _registrar.RequestsAsync(cancellationToken);

    private string FileOf(string uid) => Path.Combine(_directories.Pod(uid), FileName);

    private void Record(MeshedPod pod)
    {
        Directory.CreateDirectory(_directories.Pod(pod.Uid), Runtime.Process.ProcessMachine.OwnerOnly);
        var path = FileOf(pod.Uid);
        File.WriteAllBytes(path + ".new", JsonSerializer.SerializeToUtf8Bytes(pod, RegistrationJson.Default.MeshedPod));
        File.Move(path + ".new", path, overwrite: true);
    }

    private static List<MeshedPod> Recorded(PodDirectories directories)
    {
        var pods = new List<MeshedPod>();
        if (!Directory.Exists(directories.Pods))
            return pods;
        foreach (var path in Directory.EnumerateDirectories(directories.Pods).Select(directory => Path.Combine(directory, FileName)).Where(File.Exists))
        {
            try
            {
                if (JsonSerializer.Deserialize(File.ReadAllBytes(path), RegistrationJson.Default.MeshedPod) is { } pod)
                    pods.Add(pod);
            }
            catch (JsonException)
            {
                // Written in a crash of the machine, after which nothing of the pod runs.
            }
        }
        return pods;
    }

    /// <summary>Stops telling. Who is captured stays so.</summary>
    public async ValueTask DisposeAsync()
    {
        await _registrar.DisposeAsync();
        await _capture.DisposeAsync();
    }
}
