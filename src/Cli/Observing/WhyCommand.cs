using System.Globalization;
using System.Text.Json;
using Weft.Cli.Mesh;
using Weft.Cli.Objects;
using Weft.Client;
using Weft.Control.Mesh.Analysis;
using Weft.Proxy.Config.Inspection;
using Weft.Proxy.Mesh.Inspection.Explaining;

namespace Weft.Cli.Observing;

/// <param name="From">`deploy/NAME`, `pod/NAME`, `outside`, `host`.</param>
public sealed record WhyImagined(string From, string Namespace, string Method, string Url, IReadOnlyList<string> Headers, bool IsJson);

/// <param name="Id">x-request-id; null: the last one that the filter takes.</param>
public sealed record WhySent(string? Namespace, string? Id, RequestFilter Filter, bool IsJson);

/// <summary>What `weft why -o json` prints.</summary>
public sealed record WhyAnswer(ExplainQuestion Question, Explanation Explanation, IReadOnlyList<string> Notes);

/// <summary>`weft why`: what becomes of a request and why, imagined or sent.</summary>
public sealed class WhyCommand(TextWriter output, TextWriter errors)
{
    // All nodes keep as many at least (RequestJournal); the newest are wanted.
    private const int Records = 200;

    /// <summary>A question by the form in which people write it.</summary>
    public static ExplainQuestion Question(WhyImagined imagined)
    {
        var (kind, name) = WhySource.Parse(imagined.From);
        var url = imagined.Url.Contains("://", StringComparison.Ordinal) ? imagined.Url : "http://" + imagined.Url;
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https" or "tcp"))
            throw new CommandException($"'{imagined.Url}' is no URL: http://HOST[:PORT]/PATH, https://... or tcp://HOST:PORT");
        if (uri.Scheme == "tcp" && uri.Port <= 0)
            throw new CommandException("tcp:// needs a port: tcp://HOST:PORT");
        return new ExplainQuestion
        {
            From = kind is "outside" or "host" ? kind : "pod", Namespace = imagined.Namespace, Pod = name, Method = imagined.Method.ToUpperInvariant(), Scheme = uri.Scheme, Host = uri.Host, Port = uri.Port,
            // As it is written, where Uri would bring it into form: that is the proxy's to do.
            Path = url[(url.IndexOf("://", StringComparison.Ordinal) + 3)..] is var rest && rest.IndexOf('/') is >= 0 and var slash ? rest[slash..].Split('#')[0] : "/",
            Headers = [.. imagined.Headers.Select(Header)],
        };
    }

    /// <summary>By the proxy that would send it.</summary>
    public async Task<int> ImaginedAsync(WhyImagined imagined, KubeClient client, MeshObserver observer, CancellationToken cancellationToken)
    {
        var question = Question(imagined);
        if (question.From == "pod")
            question = question with { Pod = await WhySource.PodAsync(client, WhySource.Parse(imagined.From).Kind, question.Pod, question.Namespace, cancellationToken) };
        var explanation = await observer.ExplainAsync(question, cancellationToken);
        IReadOnlyList<string> notes = [];
        try
        {
            notes = WhyNotes.Of(explanation, (await ClusterObjects.ReadAsync(client, told => errors.WriteLine($"weft why: {told}"), cancellationToken)).Run(new()));
        }
        catch (ApiStatusException refused) when (refused.Code == 403)
        {
            errors.WriteLine("weft why: you may not read all that the mesh is made from, so which DestinationRule and PeerAuthentication hold, and what is wrong with them, is not told");
        }

        return Show(question, explanation, notes, imagined.IsJson);
    }

    /// <summary>By manifests alone: what a cluster would do that has these, with a pod for each Deployment and its like.</summary>
    public int Offline(WhyImagined imagined, IReadOnlyList<string> files)
    {
        var question = Question(imagined);
        var analysis = new MeshAnalysis();
        var cluster = ImaginedCluster.Of(files.SelectMany(Manifests.Documents).Select(document => document.Tree), imagined.Namespace);
        foreach (var tree in cluster.Objects)
            analysis.Add(tree, imagined.Namespace);
        var report = analysis.Run(new());
        if (question.From == "pod")
        {
            var (kind, name) = WhySource.Parse(imagined.From);
            question = question with { Pod = kind == "pod" ? name : cluster.Pods.GetValueOrDefault((imagined.Namespace, name)) ?? throw new CommandException($"{imagined.From} is not in the files, in namespace {imagined.Namespace}") };
        }

        var explanation = OfflineExplainer.Explain(report.Units, question);
        return Show(question, explanation, WhyNotes.Of(explanation, report), imagined.IsJson);
    }

    /// <summary>By what all proxies remember.</summary>
    public async Task<int> SentAsync(WhySent sent, MeshObserver observer, CancellationToken cancellationToken)
    {
        if (sent.Filter.Problem() is { } problem)
            throw new CommandException(problem);
        var found = await RecordsAsync(observer, sent.Namespace, sent.Filter with { Id = sent.Id }, cancellationToken);
        if (sent.Id is null && found.MaxBy(one => one.Time) is { } last)
        {
            // The other proxies on its way have it under the same id; of connections there is none.
            found = last.RequestId is { } id ? await RecordsAsync(observer, sent.Namespace, new RequestFilter { Id = id }, cancellationToken) : [last];
        }

        if (found.Count == 0)
        {
            errors.WriteLine($"weft why: no node remembers such a request: each keeps its last 4,096, without those before its proxy was started{(sent.Namespace is null ? "" : $"; looked at in namespace {sent.Namespace} (-A: in all)")}");
            return 1;
        }

        found = [.. found.OrderBy(one => one.Time)];
        output.Write(sent.IsJson ? string.Concat(found.Select(one => JsonSerializer.Serialize(one, TapJson.Readable.ObservedRequest) + "\n")) : WhyText.Of(found));
        return 0;
    }

    private async Task<List<ObservedRequest>> RecordsAsync(MeshObserver observer, string? @namespace, RequestFilter filter, CancellationToken cancellationToken)
    {
        var found = new List<ObservedRequest>();
        await foreach (var line in observer.RequestsAsync(@namespace, filter, watch: false, Records, cancellationToken))
        {
            if (line.Request is { } request)
                found.Add(request);
            else if (line.Error is { } error)
                errors.WriteLine(RequestTexts.Clean($"weft why: node {line.Node}: {error}"));
        }

        return found;
    }

    private int Show(ExplainQuestion question, Explanation explanation, IReadOnlyList<string> notes, bool isJson)
    {
        output.Write(isJson ? JsonSerializer.Serialize(new WhyAnswer(question, explanation, notes), TapJson.Indented.WhyAnswer) + "\n" : WhyText.Of(question, explanation, notes));
        return 0;
    }

    private static QuestionHeader Header(string text)
    {
        var colon = text.IndexOf(':');
        var name = colon <= 0 ? "" : text[..colon].Trim();
        if (name.Length == 0 || !name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c)) || text.Any(char.IsControl))
            throw new CommandException(string.Create(CultureInfo.InvariantCulture, $"-H '{RequestTexts.Clean(text)}': is no header: 'name: value'"));
        return new(name, text[(colon + 1)..].Trim());
    }
}
