using Weft.Api;
using Weft.Api.Streams;
using Weft.Node.Logs;
using Weft.Node.Pods;
using Weft.Node.Runtime;

namespace Weft.Node.Agent;

/// <summary>Logs, exec, attach and port-forward of the pods of this node, and what they use.</summary>
internal sealed class PodStreams(PodManager pods, IPodRuntime runtime, Func<NodeUsage> usage, ProxyInspection? proxy, TimeProvider time) : IPodStreams
{
    public async Task LogsAsync(PodStreamTarget target, LogOptions options, Stream output, CancellationToken cancellationToken)
    {
        CheckPod(target);
        var container = await FindAsync(target, options.Previous ? 1 : 0, cancellationToken);
        await LogReader.CopyAsync(container.LogPath, options, EndedAsync(target, container.Id, options.Follow, cancellationToken), time, output, cancellationToken);
    }

    public async Task<int> ExecAsync(PodStreamTarget target, IReadOnlyList<string> command, ContainerStreams streams, CancellationToken cancellationToken)
    {
        CheckPod(target);
        var container = await FindAsync(target, 0, cancellationToken);
        return await TranslateAsync(() => runtime.ExecAsync(container.Id, command, streams, cancellationToken));
    }

    public async Task AttachAsync(PodStreamTarget target, ContainerStreams streams, CancellationToken cancellationToken)
    {
        CheckPod(target);
        var container = await FindAsync(target, 0, cancellationToken);
        await TranslateAsync(async () =>
        {
            await runtime.AttachAsync(container.Id, streams, cancellationToken);
            return 0;
        });
    }

    public async Task<Stream> ConnectAsync(PodStreamTarget target, int port, CancellationToken cancellationToken)
    {
        CheckPod(target);
        var sandbox = (await RuntimeOf(target).ListAsync(cancellationToken)).Sandboxes.FirstOrDefault(s => s.Spec.PodUid == target.PodUid && s.Ready)
            ?? throw new PodStreamException(PodStreamError.NotRunning, $"pod {target.Namespace}/{target.Pod} is not running");
        return await TranslateAsync(() => runtime.ConnectAsync(sandbox.Id, port, cancellationToken));
    }

    public Task<NodeUsage> UsageAsync(string node, CancellationToken cancellationToken) => Task.FromResult(usage());

    public Task InspectAsync(string node, string question, Stream output, CancellationToken cancellationToken) => proxy is null
        ? throw new PodStreamException(PodStreamError.NotRunning, "this cluster has no mesh (weft up --mesh on)")
        : proxy.AskAsync(question, output, cancellationToken);

    // Its own, so that trouble with one runtime does not reach the pods of another.
    private IPodRuntime RuntimeOf(PodStreamTarget target) => pods.Find(target.PodUid)?.PodRuntime ?? runtime;

    private void CheckPod(PodStreamTarget target)
    {
        if (pods.Find(target.PodUid) is null)
            throw new PodStreamException(PodStreamError.PodNotFound, $"pod {target.Namespace}/{target.Pod} is not on this node");
    }

    private async Task<ContainerInfo> FindAsync(PodStreamTarget target, int back, CancellationToken cancellationToken)
    {
        var attempts = (await RuntimeOf(target).ListAsync(cancellationToken)).Containers.Where(c => c.PodUid == target.PodUid && c.Name == target.Container).OrderByDescending(c => c.Attempt).ToList();
        if (attempts.Count > back)
            return attempts[back];
        if (back > 0)
            throw new PodStreamException(PodStreamError.ContainerNotFound, $"previous terminated container \"{target.Container}\" in pod \"{target.Pod}\" not found");
        var pod = pods.Find(target.PodUid)!.Pod;
        throw PodShape.Find(pod, target.Container) is null
            ? new PodStreamException(PodStreamError.ContainerNotFound, $"container {target.Container} is not valid for pod {target.Pod}")
            : new PodStreamException(PodStreamError.NotRunning, $"container \"{target.Container}\" in pod \"{target.Pod}\" is waiting to start");
    }

    // Ends when the container has: a follower then reads what is left and returns.
    private async Task EndedAsync(PodStreamTarget target, string containerId, bool follow, CancellationToken cancellationToken)
    {
        while (follow)
        {
            var container = (await RuntimeOf(target).ListAsync(cancellationToken)).Containers.FirstOrDefault(c => c.Id == containerId);
            if (container is null or { State: RunState.Exited })
                return;
            await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellationToken);
        }
    }

    private static async Task<T> TranslateAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (RuntimeException e)
        {
            throw new PodStreamException(e.Error switch
            {
                RuntimeError.NotFound => PodStreamError.ContainerNotFound,
                RuntimeError.NotRunning => PodStreamError.NotRunning,
                RuntimeError.Connect => PodStreamError.ConnectFailed,
                _ => PodStreamError.StartFailed,
            }, e.Message);
        }
        catch (IOException e)
        {
            // The container was removed while the request was on its way.
            throw new PodStreamException(PodStreamError.NotRunning, e.Message);
        }
    }
}
