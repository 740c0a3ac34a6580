using System.Collections.Immutable;
using Weft.Proxy.Config.Wire;

namespace Weft.Proxy.Configuration;

/// <summary>
/// Tells the server which endpoints were taken out of use and still answer requests, on one stream: before the acknowledgement of the step that took them out, and until there are none. So a pod
/// that is to end is not ended under its last requests.
/// </summary>
/// <param name="draining">Their addresses now.</param>
internal sealed class DrainReports(WireChannel channel, Func<IReadOnlySet<string>> draining, TimeProvider time) : IDisposable
{
    // Requests mostly end within milliseconds, and a pod's end waits for them; what takes longer (an open WebSocket) is looked for less often.
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(5), LaterLook = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim _sending = new(1), _begun = new(0, 1);
    private IReadOnlySet<string> _told = ImmutableHashSet<string>.Empty;

    public async Task AcknowledgeAsync(Ack ack, CancellationToken cancellationToken)
    {
        await _sending.WaitAsync(cancellationToken);
        try
        {
            await TellAsync(cancellationToken);
            await channel.SendAsync(ack, cancellationToken);
        }
        finally
        {
            _sending.Release();
        }

        if (_told.Count > 0 && _begun.CurrentCount == 0)
            _begun.Release();
    }

    /// <summary>Until it is cancelled, or the stream breaks: whoever reads from it hears of that.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await _begun.WaitAsync(cancellationToken);
                for (var pause = FirstLook; _told.Count > 0; pause = pause * 2 < LaterLook ? pause * 2 : LaterLook)
                {
                    await Task.Delay(pause, time, cancellationToken);
                    await _sending.WaitAsync(cancellationToken);
                    try
                    {
                        await TellAsync(cancellationToken);
                    }
                    finally
                    {
                        _sending.Release();
                    }
                }
            }
        }
        catch (Exception over) when (over is OperationCanceledException or IOException or TimeoutException or System.Net.WebSockets.WebSocketException or InvalidOperationException)
        {
            // The next stream begins anew.
        }
    }

    private async Task TellAsync(CancellationToken cancellationToken)
    {
        var now = draining();
        if (now.SetEquals(_told))
            return;
        _told = now;
        await channel.SendAsync(new Draining([.. now.Take(WireLimits.MaxDraining)]), cancellationToken);
    }

    public void Dispose()
    {
        _sending.Dispose();
        _begun.Dispose();
    }
}
