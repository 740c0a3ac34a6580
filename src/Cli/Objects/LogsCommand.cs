using Weft.Client;

namespace Weft.Cli.Objects;

public sealed record LogsOptions(string Pod, string Namespace, string? Container, bool Follow, bool Previous, long? Tail, bool Timestamps);

/// <summary>`weft logs`: the log of a container, as the server streams it.</summary>
public sealed class LogsCommand(KubeClient client, Stream output)
{
    public async Task<int> RunAsync(LogsOptions options, CancellationToken cancellationToken)
    {
        var query = new List<string>();
        if (options.Container is not null)
            query.Add("container=" + Uri.EscapeDataString(options.Container));
        if (options.Follow)
            query.Add("follow=true");
        if (options.Previous)
            query.Add("previous=true");
        if (options.Timestamps)
            query.Add("timestamps=true");
        if (options.Tail is { } lines)
            query.Add(FormattableString.Invariant($"tailLines={lines}"));

        var path = $"/api/v1/namespaces/{Uri.EscapeDataString(options.Namespace)}/pods/{Uri.EscapeDataString(options.Pod)}/log?{string.Join('&', query)}";
        using var response = await client.OpenAsync(path, cancellationToken);
        await response.Content.CopyToAsync(output, cancellationToken);
        await output.FlushAsync(cancellationToken);
        return 0;
    }
}
