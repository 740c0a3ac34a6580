using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Nodes;
using Weft.Client;

namespace Weft.Node.Runtime;

/// <summary>Which runtime runs a pod.</summary>
internal abstract record RuntimeChoice
{
    private RuntimeChoice() { }

    public sealed record Chosen(NamedRuntime Runtime, string Handler) : RuntimeChoice;

    /// <summary>It is not known yet; the change of the image runtime's state will tell.</summary>
    public sealed record Starting : RuntimeChoice;

    public sealed record Refused(string Reason, string Message) : RuntimeChoice;
}

/// <summary>Chooses by what already runs, then by the handler of the pod's RuntimeClass, whatever its name is.</summary>
internal sealed class RuntimeChooser(PodRuntimes runtimes, ObjectCache<RuntimeClass> classes, KubeClient client)
{
    public async Task<RuntimeChoice> ChooseAsync(Pod pod, CancellationToken cancellationToken)
    {
        var uid = pod.Metadata.Uid;
        // A pod found running stays where it runs, also when its class is gone.
        if (await FindAsync(runtimes.Process, uid, cancellationToken) is not null)
            return new RuntimeChoice.Chosen(runtimes.Process, PodRuntimes.ProcessHandler);
        var state = runtimes.Images;
        if (state is ImageRuntimeState.Ready ready && await FindAsync(ready.Runtime, uid, cancellationToken) is { } found)
            return new RuntimeChoice.Chosen(ready.Runtime, found.Spec.RuntimeHandler);

        var name = pod.Spec.RuntimeClassName;
        var handler = string.IsNullOrEmpty(name) ? "" : await HandlerAsync(name, cancellationToken);
        if (handler == PodRuntimes.ProcessHandler)
            return new RuntimeChoice.Chosen(runtimes.Process, handler);
        return state switch
        {
            ImageRuntimeState.Starting => new RuntimeChoice.Starting(),
            _ when handler is null => new RuntimeChoice.Refused("FailedCreatePodSandBox", $"failed to get sandbox runtime: RuntimeClass.node.k8s.io \"{name}\" not found"),
            ImageRuntimeState.Ready here when here.Handlers.Contains(handler) => new RuntimeChoice.Chosen(here.Runtime, handler),
            ImageRuntimeState.Ready here => new RuntimeChoice.Refused(
                "FailedCreatePodSandBox",
                $"RuntimeClass \"{name}\" has the handler \"{handler}\", which this node does not have: it knows {string.Join(", ", here.Handlers.Append(PodRuntimes.ProcessHandler).Where(h => h.Length > 0).Order())}"),
            ImageRuntimeState.Failed failed => new RuntimeChoice.Refused("NoContainerRuntime", $"{failed.Message}; a RuntimeClass with the handler 'process' runs a command of this machine as a pod without it"),
            _ => throw new InvalidOperationException($"no such state of the image runtime: {state}"),
        };
    }

    private static async Task<SandboxInfo?> FindAsync(NamedRuntime runtime, string? uid, CancellationToken cancellationToken) =>
        (await runtime.ListAsync(cancellationToken)).Sandboxes.FirstOrDefault(s => s.Spec.PodUid == uid);

    private async Task<string?> HandlerAsync(string name, CancellationToken cancellationToken)
    {
        var key = new ObjectKey("", name);
        // The watch may be behind a class that was made a moment ago.
        return (classes.Find(key) ?? await client.For<RuntimeClass>().FindAsync(key, cancellationToken))?.Handler;
    }
}
