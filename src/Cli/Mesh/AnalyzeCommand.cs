using System.CommandLine;
using System.Text.Json.Nodes;
using Weft.Api.Core;
using Weft.Cli.Objects;
using Weft.Client;
using Weft.Control.Mesh.Analysis;
using Weft.Control.Mesh.Diagnostics;

namespace Weft.Cli.Mesh;

/// <param name="Files">Files, folders or `-`; none: the cluster as it is.</param>
/// <param name="Namespace">Whose objects are told of, and that of manifests which name none; null: all, and `default`.</param>
public sealed record AnalyzeOptions(IReadOnlyList<string> Files, string? Namespace, bool IsJson);

/// <summary>`weft analyze`: what the mesh would make of manifests, before they are applied.</summary>
/// <param name="cluster">Null: the files stand alone.</param>
public sealed class AnalyzeCommand(KubeClient? cluster, TextWriter output, TextWriter errors)
{
    /// <returns>0, or 1 when something is wrong.</returns>
    public async Task<int> RunAsync(AnalyzeOptions options, CancellationToken cancellationToken)
    {
        var analysis = cluster is null ? new MeshAnalysis() : await ClusterObjects.ReadAsync(cluster, told => errors.WriteLine($"weft analyze: {told}"), cancellationToken);

        foreach (var (_, tree) in options.Files.SelectMany(Manifests.Documents))
        {
            foreach (var item in tree["items"] is JsonArray list && (string?)tree["kind"] is { } kind && kind.EndsWith("List", StringComparison.Ordinal) ? [.. list.OfType<JsonObject>()] : new[] { tree })
                analysis.Add(item, options.Namespace ?? "default");
        }

        var report = analysis.Run(new());
        if (cluster is not null && report.Secrets.Length > 0)
            report = analysis.Run(new(), await SecretsAsync(report.Secrets, cancellationToken));
        var shown = report.Diagnostics.Where(problem => options.Namespace is null || problem.Object.Namespace == options.Namespace || problem.Object.Namespace.Length == 0).ToList();
        if (options.IsJson)
            output.WriteLine(MeshFinding.ToJson(shown));
        else
            Show(shown, report.Objects);
        return shown.Exists(problem => problem.Severity == Severity.Error) ? 1 : 0;
    }

    private async Task<IReadOnlyDictionary<string, Secret>?> SecretsAsync(IEnumerable<string> names, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, Secret>();
        foreach (var name in names)
        {
            try
            {
                var slash = name.IndexOf('/');
                if (await cluster!.For<Secret>().FindAsync(new(name[..slash], name[(slash + 1)..]), cancellationToken) is { } secret)
                    found.Add(name, secret);
            }
            catch (ApiStatusException refused) when (refused.Code == 403)
            {
                errors.WriteLine($"weft analyze: you may not read Secret {name}, so what is wrong with Secrets is not told");
                return null;
            }
        }

        return found;
    }

    private void Show(List<MeshDiagnostic> problems, int objects)
    {
        foreach (var finding in problems.Select(MeshFinding.Of))
        {
            output.WriteLine($"{finding.Severity,-11} {finding.Object}{(finding.Field.Length == 0 ? "" : "  " + finding.Field)}");
            output.WriteLine($"            {finding.Message}");
            if (finding.Advice is { } advice)
                output.WriteLine($"            -> {advice}");
        }

        var wrong = problems.Count(problem => problem.Severity == Severity.Error);
        if (problems.Count > 0)
            output.WriteLine();
        output.WriteLine(problems.Count == 0 ? $"nothing to say about {objects} objects" : $"{wrong} errors, {problems.Count - wrong} others, in {objects} objects");
    }

    internal static Command Build(TimeProvider time)
    {
        var files = new Option<string[]>("--filename", "-f") { Description = "File, folder, or - for standard input; without it the cluster as it is", AllowMultipleArgumentsPerToken = true };
        var offline = new Option<bool>("--offline") { Description = "The files alone, without the cluster's objects" };
        var @namespace = new Option<string?>("--namespace", "-n") { Description = "Tell of this namespace's objects, and put manifests that name none there" };
        var format = new Option<string>("--output", "-o") { Description = "text or json", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json");
        var command = new Command("analyze", "What the service mesh makes of manifests and of the cluster: every error, warning and setting without effect. Changes nothing. Exit code 1 on errors.") { files, offline, @namespace, format };
        command.SetAction((parsed, cancellationToken) => CommandGuard.RunAsync("analyze", async () =>
        {
            var options = new AnalyzeOptions(parsed.GetValue(files) ?? [], parsed.GetValue(@namespace), parsed.GetValue(format) == "json");
            if (parsed.GetValue(offline))
            {
                return options.Files.Count == 0
                    ? throw new CommandException("--offline needs files: -f FILE")
                    : await new AnalyzeCommand(null, Console.Out, Console.Error).RunAsync(options, cancellationToken);
            }

            using var client = ClusterConnection.Find(WeftCommands.Paths(parsed)).Connect(time);
            return await new AnalyzeCommand(client, Console.Out, Console.Error).RunAsync(options, cancellationToken);
        }));
        return command;
    }
}
