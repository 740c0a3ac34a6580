using System.Net.WebSockets;
using Weft.ApiServer.Streaming.WebSockets;

namespace Weft.ApiServer.Streaming.RemoteCommand;

/// <summary>Exec and attach over WebSocket: channels 0 input, 1 output, 2 error output, 3 outcome, 4 terminal sizes.</summary>
internal sealed class WebSocketRemoteCommand : RemoteCommandChannels
{
    private const int InputChannel = 0;
    private const int OutputChannel = 1;
    private const int ErrorChannel = 2;
    private const int OutcomeChannel = 3;
    private const int ResizeChannel = 4;

    /// <summary>A client that names none gets the oldest.</summary>
    public static readonly IReadOnlyList<string> Protocols =
        ["v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io", "channel.k8s.io", "base64.channel.k8s.io"];

    private readonly WebSocketChannels _channels;
    private readonly Task _running;
    private readonly TimeProvider _time;
    private readonly bool _status;

    private WebSocketRemoteCommand(WebSocketChannels channels, Task running, RemoteCommandOptions options, TimeProvider time, bool status)
    {
        _channels = channels;
        _running = running;
        _time = time;
        _status = status;
        Input = options.Input ? channels.Incoming(InputChannel) : null;
        Output = options.Output ? channels.Outgoing(OutputChannel) : null;
        Error = options.Error ? channels.Outgoing(ErrorChannel) : null;
        Resize = options.Terminal ? TerminalSizes.ReadAsync(channels.Incoming(ResizeChannel)) : null;
    }

    public override CancellationToken ClientGone => _channels.Closed;

    /// <summary>Null when the client has gone.</summary>
    public static async Task<WebSocketRemoteCommand?> OpenAsync(WebSocket socket, RemoteCommandOptions options, string protocol, TimeProvider time, CancellationToken cancellationToken)
    {
        List<int> incoming = [];
        if (options.Input)
            incoming.Add(InputChannel);
        if (options.Terminal)
            incoming.Add(ResizeChannel);
        var channels = new WebSocketChannels(socket, protocol.Contains("base64", StringComparison.Ordinal), protocol == "v5.channel.k8s.io", [.. incoming]);
        var running = channels.RunAsync(cancellationToken);
        try
        {
            // Kubernetes sends an empty message on the first channel of the output, so that a client knows that it is connected.
            await channels.SendAsync((byte)(options.Output ? OutputChannel : options.Error ? ErrorChannel : OutcomeChannel), ReadOnlyMemory<byte>.Empty, channels.Closed);
            return new WebSocketRemoteCommand(channels, running, options, time, protocol.StartsWith('v'));
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            await channels.DisposeAsync();
            await running;
            return null;
        }
    }

    public override async Task FinishAsync(RemoteCommandOutcome outcome)
    {
        try
        {
            var text = _status ? outcome.AsStatus() : outcome.AsText();
            if (text.Length > 0)
                await _channels.SendAsync(OutcomeChannel, text, _channels.Closed);
            await _channels.CloseAsync(WebSocketCloseStatus.NormalClosure, "");
            if (Input is not null)
                await Input.DisposeAsync(); // the rest of the input is dropped, so that the client's close is seen
            await _running.WaitAsync(Goodbye, _time);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or TimeoutException)
        {
            // The client did not wait for the outcome, or does not close: either way it is over.
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _channels.DisposeAsync();
        await _running;
    }
}
