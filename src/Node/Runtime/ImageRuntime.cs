namespace Weft.Node.Runtime;

/// <summary>A runtime of containers made of images, and the images it has.</summary>
/// <param name="Handlers">Handlers of RuntimeClasses that it answers to; the empty one is that of pods without a class.</param>
internal sealed record ImageRuntime(IPodRuntime Runtime, IImages Images, IReadOnlySet<string> Handlers, IAsyncDisposable? Owned = null);

/// <summary>How far the image runtime has come: it starts beside the agent, and process pods never wait for it.</summary>
internal abstract record ImageRuntimeState
{
    private ImageRuntimeState() { }

    public sealed record Starting : ImageRuntimeState;

    /// <param name="Message">What is missing, and what to do. It is tried again.</param>
    public sealed record Failed(string Message) : ImageRuntimeState;

    public sealed record Ready(NamedRuntime Runtime, IImages Images, IReadOnlySet<string> Handlers) : ImageRuntimeState;
}
