using Weft.Control.Runtime;

namespace Weft.Control.Lifecycle;

/// <summary>Runs the collector's loop once its graph is whole: before that, an owner could be missing only because its list had not come yet.</summary>
internal sealed class GarbageLoop(ControllerLoop<GarbageKey> loop, GarbageWatch watch) : IControllerLoop
{
    public string Name => loop.Name;

    public ControllerHealth Health => loop.Health;

    public async Task RunAsync(CancellationToken stopping)
    {
        var whole = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var watching = watch.RunAsync(() => whole.TrySetResult(), stopping);
        await Task.WhenAny(whole.Task, watching);
        if (whole.Task.IsCompleted)
            await loop.RunAsync(stopping);
        await watching;
    }
}
