using System.Text.Json.Nodes;
using System.Threading.Channels;
using Weft.Api.Streams;

namespace Weft.ApiServer.Observing;

/// <summary>Asks the proxies of all nodes the same question, and gives their lines on as they come.</summary>
/// <param name="reachable">Nodes that can be asked now.</param>
internal sealed class NodeInspections(IPodStreams streams, Func<IReadOnlyCollection<string>> reachable, TimeProvider time)
{
    /// <summary>Metrics of a node are one line; 10,000 series have some 8 MB.</summary>
    public const int LongestLine = 32 << 20;

    // Lines that wait for the client: beyond them nodes wait, and drop.
    private const int Waiting = 256;

    // A node that joins, or comes back, is asked so soon.
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);

    // A node that does not answer is left out, so that the others' answers do not wait for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The answers of all nodes; a line with `error` in place of those of a node that has none.</summary>
    public IAsyncEnumerable<JsonObject> AskAsync(string question, CancellationToken cancellationToken) => ReadAsync(async (lines, token) =>
    {
        await Task.WhenAll(reachable().Select(async node =>
        {
            using var patience = new CancellationTokenSource(Patience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(token, patience.Token);
            try
            {
                if (await AskOneAsync(node, question, lines, either.Token) is { } trouble)
                    await lines.WriteAsync(Failed(node, trouble), token);
            }
            catch (OperationCanceledException) when (!token.IsCancellationRequested)
            {
                await lines.WriteAsync(Failed(node, "it does not answer in time"), token);
            }
        }));
    }, cancellationToken);

    /// <summary>Without an end; nodes that come are asked, too, and those that come back are asked again.</summary>
    public IAsyncEnumerable<JsonObject> FollowAsync(string question, CancellationToken cancellationToken) => ReadAsync(async (lines, token) =>
    {
        var running = new Dictionary<string, Task<string?>>();
        var told = new Dictionary<string, string?>();
        while (true)
        {
            foreach (var node in reachable())
            {
                if (running.TryGetValue(node, out var asked) && !asked.IsCompleted)
                    continue;
                // Tried again and again, told once.
                if (asked is not null && await asked is var trouble && trouble != told.GetValueOrDefault(node))
                {
                    told[node] = trouble;
                    if (trouble is not null)
                        await lines.WriteAsync(Failed(node, trouble), token);
                }

                running[node] = AskOneAsync(node, question, lines, token);
            }

            await Task.Delay(Again, time, token);
        }
    }, cancellationToken);

    private static async IAsyncEnumerable<JsonObject> ReadAsync(Func<ChannelWriter<JsonObject>, CancellationToken, Task> ask, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var lines = Channel.CreateBounded<JsonObject>(new BoundedChannelOptions(Waiting) { SingleReader = true });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var asking = Task.Run(async () =>
        {
            try
            {
                await ask(lines.Writer, stop.Token);
                lines.Writer.Complete();
            }
            catch (Exception ended)
            {
                lines.Writer.Complete(ended);
            }
        }, CancellationToken.None);
        try
        {
            await foreach (var line in lines.Reader.ReadAllAsync(cancellationToken))
                yield return line;
        }
        finally
        {
            await stop.CancelAsync();
            await asking;
        }
    }

    /// <returns>Why it has not answered in full; null: it has.</returns>
    private async Task<string?> AskOneAsync(string node, string question, ChannelWriter<JsonObject> lines, CancellationToken cancellationToken)
    {
        try
        {
            await using var output = new NodeLines(node, LongestLine, lines.WriteAsync);
            await streams.InspectAsync(node, question, output, cancellationToken);
            return null;
        }
        catch (Exception failed) when (failed is PodStreamException or IOException)
        {
            return failed.Message;
        }
    }

    private static JsonObject Failed(string node, string why) => new() { ["node"] = node, ["error"] = why };
}
