using System.Net.Http.Headers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Trees;
using Weft.Client;

namespace Weft.Cli.Objects;

public sealed record GetOptions(string Type, string? Name, string? Namespace, bool AllNamespaces, string? Selector, string Format);

/// <summary>`weft get`: objects as the server's own table, or as YAML or JSON.</summary>
public sealed class GetCommand(ClusterAccess access, TimeProvider time, TextWriter output)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public async Task<int> RunAsync(GetOptions options, CancellationToken cancellationToken)
    {
        if (options.Format is not ("" or "wide" or "yaml" or "json" or "name"))
            throw new CommandException($"-o {options.Format} is not known: use wide, yaml, json or name");
        using var client = access.Connect(time);
        var (type, name) = ResourceNames.Split(options.Type, options.Name);
        var resource = ResourceNames.Resolve((await Discovery.ReadAsync(client, cancellationToken)).Resources, type);
        var place = !resource.Namespaced || options.AllNamespaces ? null : options.Namespace ?? access.Namespace;
        var path = name is null ? resource.CollectionPath(place) : resource.ObjectPath(new ObjectKey(place ?? "", name));
        if (options.Selector is not null)
            path += "?labelSelector=" + Uri.EscapeDataString(options.Selector);

        var table = options.Format is "" or "wide";
        var answer = await FetchAsync(path, table ? "application/json;as=Table;v=v1;g=meta.k8s.io,application/json" : "application/json", cancellationToken);
        switch (options.Format)
        {
            case "yaml": output.Write(YamlTree.Write(answer)); break;
            case "json": output.WriteLine(answer.ToJsonString(Indented)); break;
            case "name":
                foreach (var item in answer["items"] as JsonArray ?? [answer.DeepClone()])
                    output.WriteLine($"{resource.Kind.ToLowerInvariant()}/{(string?)item!["metadata"]!["name"]}");
                break;
            default: TablePrinter.Print(answer, options.Format == "wide", options.AllNamespaces && resource.Namespaced, output); break;
        }

        return 0;
    }

    private async Task<JsonNode> FetchAsync(string path, string accept, CancellationToken cancellationToken)
    {
        using var http = access.CreateHttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, path.TrimStart('/'));
        request.Headers.Accept.ParseAdd(accept);
        using var response = await http.SendAsync(request, cancellationToken);
        var body = JsonNode.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        if (!response.IsSuccessStatusCode)
            throw new CommandException((string?)body?["message"] ?? $"the server answered {(int)response.StatusCode}");
        return body ?? throw new CommandException("the server answered nothing");
    }
}

/// <summary>A meta.k8s.io Table in columns, as kubectl prints it.</summary>
internal static class TablePrinter
{
    internal static void Print(JsonNode table, bool wide, bool withNamespace, TextWriter output)
    {
        var definitions = table["columnDefinitions"]!.AsArray();
        var shown = Enumerable.Range(0, definitions.Count).Where(i => wide || (int?)definitions[i]!["priority"] is null or 0).ToList();
        var rows = table["rows"] as JsonArray ?? [];
        if (rows.Count == 0)
        {
            output.WriteLine("No resources found");
            return;
        }

        List<string[]> lines = [Line(withNamespace ? "NAMESPACE" : null, shown.Select(i => ((string?)definitions[i]!["name"])!.ToUpperInvariant()))];
        lines.AddRange(rows.Select(row => Line(
            withNamespace ? (string?)row!["object"]?["metadata"]?["namespace"] ?? "" : null, shown.Select(i => Text(row!["cells"]![i])))));
        var widths = Enumerable.Range(0, lines[0].Length).Select(column => lines.Max(line => line[column].Length)).ToList();
        foreach (var line in lines)
        {
            var text = new StringBuilder();
            for (var i = 0; i < line.Length; i++)
                text.Append(i == line.Length - 1 ? line[i] : line[i].PadRight(widths[i] + 3));
            output.WriteLine(text.ToString().TrimEnd());
        }
    }

    private static string[] Line(string? first, IEnumerable<string> rest) => first is null ? [.. rest] : [first, .. rest];

    private static string Text(JsonNode? cell) => cell is JsonValue value && value.TryGetValue<string>(out var text) ? text : cell?.ToJsonString() ?? "<none>";
}
