using System.Collections.Immutable;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Weft.Api.Shutdown;
using Weft.Cli.Nodes;

namespace Weft.Cli.Clusters;

/// <summary>Asks the agents of all this cluster's nodes on this machine to end their pods, and waits until they have, or their time is over.</summary>
internal sealed class GracefulEnd(TimeProvider time, TextWriter output)
{
    // Beyond the pods' own periods: the node tells the cluster first, sees to the dead after each, and last tells what became of the pods.
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(10), SlackOfPeriod = TimeSpan.FromSeconds(1);

    /// <returns>What went wrong, in sentences; the machine goes down all the same.</returns>
    public async Task<IReadOnlyList<string>> RunAsync(ClusterPaths cluster, ImmutableArray<PriorityPeriod> periods, CancellationToken cancellationToken)
    {
        var nodes = LocalNodes.Numbers(cluster).Select(number => (Name: FormattableString.Invariant($"node {number}"), Paths: cluster.LocalNode(number))).Prepend((Name: "this node", Paths: cluster)).ToList();
        var problems = await Task.WhenAll(nodes.Select(node => EndAsync(node.Name, node.Paths, periods, cancellationToken)));
        return [.. problems.OfType<string>()];
    }

    private async Task<string?> EndAsync(string name, ClusterPaths paths, ImmutableArray<PriorityPeriod> periods, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(periods.Sum(p => p.Seconds)) + Slack + SlackOfPeriod * periods.Length, time);
        await using var _ = limit.Token.Register(patience.Cancel);
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(paths.RunDir, "node", ShutdownSocket.Name)), patience.Token);
            await using var stream = new NetworkStream(socket);
            await stream.WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(new ShutdownRequest(periods), ShutdownJson.Default.ShutdownRequest), (byte)'\n'], patience.Token);
            using var lines = new StreamReader(stream);
            while (await lines.ReadLineAsync(patience.Token) is { } line)
            {
                if (JsonSerializer.Deserialize(line, ShutdownJson.Default.ShutdownReport) is not { } report)
                    continue;
                lock (output)
                    output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name}: {report.Message}"));
                if (report.Done)
                    return null;
            }
            return $"{name}: its agent ended before its pods had";
        }
        catch (Exception away) when (away is SocketException or IOException or JsonException)
        {
            return $"{name}: its agent cannot be asked to end its pods: {away.Message}";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"{name}: its agent does not answer";
        }
    }
}
