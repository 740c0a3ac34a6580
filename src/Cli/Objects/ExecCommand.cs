using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Weft.Client;

namespace Weft.Cli.Objects;

public sealed record ExecOptions(string Pod, string Namespace, string? Container, bool Input, IReadOnlyList<string> Command);

/// <summary>`weft exec`: a command in a running container, over the WebSocket protocol v5.channel.k8s.io. Returns the command's exit code.</summary>
public sealed class ExecCommand(ClusterAccess access, Stream input, Stream output, Stream error)
{
    // The first byte of each message is the channel (Kubernetes remotecommand): 255 closes the channel named by the next byte, since v5.
    private const byte StandardInput = 0, StandardOutput = 1, StandardError = 2, Outcome = 3, Close = 255;

    public async Task<int> RunAsync(ExecOptions options, CancellationToken cancellationToken)
    {
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("v5.channel.k8s.io");
        socket.Options.CollectHttpResponseDetails = true;
        if (access.Token is not null)
            socket.Options.SetRequestHeader("Authorization", "Bearer " + access.Token);
        using var invoker = new HttpMessageInvoker(access.CreateHandler());
        try
        {
            await socket.ConnectAsync(Address(options), invoker, cancellationToken);
        }
        catch (WebSocketException refused)
        {
            var why = (int)socket.HttpStatusCode switch
            {
                404 => "there is no such pod",
                403 => "this needs the right to create pods/exec",
                400 => "it does not run, or has no such container",
                _ => refused.Message,
            };
            throw new CommandException($"cannot run a command in pod {options.Namespace}/{options.Pod}: {why}");
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sending = options.Input ? SendInputAsync(socket, ended.Token) : Task.CompletedTask;
        var exit = await ReceiveAsync(socket, cancellationToken);
        await ended.CancelAsync();
        try
        {
            await sending;
        }
        catch (Exception over) when (over is OperationCanceledException or WebSocketException)
        {
            // The command ended before it had read all its input.
        }

        return exit;
    }

    private Uri Address(ExecOptions options)
    {
        var query = string.Join('&', options.Command.Select(part => "command=" + Uri.EscapeDataString(part)))
            + "&stdout=true&stderr=true" + (options.Input ? "&stdin=true" : "")
            + (options.Container is null ? "" : "&container=" + Uri.EscapeDataString(options.Container));
        var http = new Uri(access.Server, $"/api/v1/namespaces/{Uri.EscapeDataString(options.Namespace)}/pods/{Uri.EscapeDataString(options.Pod)}/exec?{query}");
        return new UriBuilder(http) { Scheme = http.Scheme == Uri.UriSchemeHttps ? "wss" : "ws" }.Uri;
    }

    private async Task SendInputAsync(ClientWebSocket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[32 * 1024 + 1];
        buffer[0] = StandardInput;
        int read;
        while ((read = await input.ReadAsync(buffer.AsMemory(1), cancellationToken)) > 0)
            await socket.SendAsync(buffer.AsMemory(0, read + 1), WebSocketMessageType.Binary, endOfMessage: true, cancellationToken);
        await socket.SendAsync(new[] { Close, StandardInput }.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, cancellationToken);
    }

    private async Task<int> ReceiveAsync(ClientWebSocket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        var status = new MemoryStream();
        byte channel = 0;
        var start = true;
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer.AsMemory(), cancellationToken);
            if (part.MessageType == WebSocketMessageType.Close)
                break;
            var bytes = buffer.AsMemory(0, part.Count);
            if (start && bytes.Length > 0)
            {
                channel = bytes.Span[0];
                bytes = bytes[1..];
            }

            start = part.EndOfMessage;
            var target = channel switch { StandardOutput => output, StandardError => error, Outcome => status, _ => Stream.Null };
            await target.WriteAsync(bytes, cancellationToken);
        }

        await output.FlushAsync(cancellationToken);
        return ExitCode(status.ToArray());
    }

    private static int ExitCode(byte[] status)
    {
        var outcome = status.Length == 0 ? null : JsonNode.Parse(status);
        if ((string?)outcome?["status"] == "Success")
            return 0;
        var code = (outcome?["details"]?["causes"] as JsonArray)?.FirstOrDefault(cause => (string?)cause?["reason"] == "ExitCode");
        return code is not null
            ? int.Parse((string)code["message"]!, System.Globalization.CultureInfo.InvariantCulture)
            : throw new CommandException((string?)outcome?["message"] ?? "the connection to the pod was lost");
    }
}
