using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using Weft.Grpc;
using Weft.Node.Runtime.Cri.Wire;
using Weft.Node.Runtime.Process;

namespace Weft.Node.Runtime.Cri;

/// <summary>
/// One session with containerd: its events are subscribed to, then what it runs is read, so that nothing is missed between the two. CRI has no
/// events of its own in containerd 1.6; these come from containerd's event service. Nothing is polled.
/// </summary>
internal sealed partial class CriEvents(CriClient client, CriState state, PodEvents events, TimeProvider time, ILogger<CriEvents> logger)
{
    private const string Exit = "/tasks/exit", OutOfMemory = "/tasks/oom", Hello = "/weft/hello";

    private static readonly string[] Filters = [$"topic==\"{Exit}\"", $"topic==\"{OutOfMemory}\"", $"topic==\"{Hello}\""];

    // CRI hears of an end by the same event and needs a moment (it drains the log first).
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(2), LongestLook = TimeSpan.FromMilliseconds(250), Patience = TimeSpan.FromSeconds(30);

    /// <summary>Ends with an exception when containerd goes away.</summary>
    public async Task RunAsync(Action ready, CancellationToken cancellationToken)
    {
        using var life = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var calling = CallAsync(heard.Task, life.Token);
        try
        {
            await foreach (var message in client.SubscribeAsync(Filters, life.Token))
            {
                if (message.Topic != Hello)
                {
                    Handle(message, cancellationToken);
                }
                else if (heard.TrySetResult())
                {
                    foreach (var uid in await state.ReloadAsync(life.Token))
                        events.Add(uid);
                    ready();
                }
            }
            throw new GrpcException(GrpcStatus.Unavailable, "containerd has ended its events");
        }
        finally
        {
            await life.CancelAsync();
            await calling;
        }
    }

    // A subscription has no answer of its own: it holds when an event of ours comes back.
    private async Task CallAsync(Task heard, CancellationToken cancellationToken)
    {
        try
        {
            while (!heard.IsCompleted)
            {
                await client.PublishAsync(Hello, new Empty(), cancellationToken);
                await Task.WhenAny(heard, Task.Delay(TimeSpan.FromMilliseconds(20), time, cancellationToken));
            }
        }
        catch (Exception e) when (e is GrpcException or OperationCanceledException)
        {
            // The subscription ends of the same cause, and says it.
        }
    }

    private void Handle(EventEnvelope message, CancellationToken cancellationToken)
    {
        switch (message.Topic)
        {
            case Exit:
                var exit = TaskExit.Parser.ParseFrom(message.Event.Value);
                if (exit.Id == exit.ContainerId)   // otherwise a command that was run in it has ended
                    _ = FollowAsync(exit.ContainerId, cancellationToken);
                break;
            case OutOfMemory:
                var container = state.Container(TaskOOM.Parser.ParseFrom(message.Event.Value).ContainerId);
                if (container is not null)
                {
                    Log.OutOfMemory(logger, container.Name, container.PodUid);
                    if (container.State == RunState.Exited)
                        _ = FollowAsync(container.Id, cancellationToken);   // the reason came after the end
                }
                break;
        }
    }

    private async Task FollowAsync(string id, CancellationToken cancellationToken)
    {
        try
        {
            if (state.Sandbox(id) is { } sandbox)
                await FollowSandboxAsync(sandbox, cancellationToken);
            else if (state.Container(id) is { } container)
                await FollowContainerAsync(container, cancellationToken);
        }
        catch (Exception e) when (e is GrpcException or OperationCanceledException or ObjectDisposedException)
        {
            // containerd is away: what has changed is found when it is back.
        }
    }

    private async Task FollowContainerAsync(ContainerInfo container, CancellationToken cancellationToken)
    {
        var from = time.GetTimestamp();
        for (var pause = FirstLook; ; pause = pause * 2 < LongestLook ? pause * 2 : LongestLook)
        {
            if (await state.RefreshAsync(container.Id, container.SandboxId, cancellationToken) is not { } now)
                return;
            if (now.State == RunState.Exited || time.GetElapsedTime(from) > Patience)
            {
                events.Add(now.PodUid);
                return;
            }
            await Task.Delay(pause, time, cancellationToken);
        }
    }

    private async Task FollowSandboxAsync(SandboxInfo sandbox, CancellationToken cancellationToken)
    {
        var from = time.GetTimestamp();
        for (var pause = FirstLook; time.GetElapsedTime(from) < Patience; pause = pause * 2 < LongestLook ? pause * 2 : LongestLook)
        {
            if (await state.RefreshSandboxAsync(sandbox.Id, cancellationToken) is not { Ready: true })
                break;
            await Task.Delay(pause, time, cancellationToken);
        }
        events.Add(sandbox.Spec.PodUid);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Container {Container} of pod {PodUid} is out of memory: the kernel has killed a process of it", EventName = nameof(OutOfMemory))]
        public static partial void OutOfMemory(ILogger logger, string container, string podUid);
    }
}
