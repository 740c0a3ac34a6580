using System.Text;
using Weft.Proxy.Config.Inspection;

namespace Weft.Cli.Observing;

/// <summary>Explanations for people.</summary>
public static class WhyText
{
    /// <param name="notes">What else is known of the objects that had a part in it.</param>
    public static string Of(ExplainQuestion question, Explanation explanation, IReadOnlyList<string> notes)
    {
        var text = new StringBuilder();
        text.Append($"{question.Method} {question.Scheme}://{question.Host}:{question.Port}{question.Path} from {(question.From == "pod" ? $"pod {question.Namespace}/{question.Pod}" : question.From)}\n\n");
        var width = explanation.Steps.Count == 0 ? 0 : explanation.Steps.Max(step => step.Name.Length);
        foreach (var step in explanation.Steps)
        {
            text.Append($"{step.Mark} {step.Name.PadRight(width)}  {step.Text}\n");
            foreach (var why in step.Why)
                text.Append($"  {"".PadRight(width)}    {why}\n");
        }

        if (explanation.Endpoints.Count > 0)
            text.Append('\n').Append(Endpoints(explanation.Endpoints));
        if (notes.Count > 0)
            text.Append('\n');
        foreach (var note in notes)
            text.Append($"  {note}\n");
        text.Append($"\n{Outcome(explanation)}\n");
        return RequestTexts.CleanLines(text.ToString());
    }

    /// <summary>What happened to a request that was sent, by what the proxies on its way have recorded.</summary>
    public static string Of(IReadOnlyList<ObservedRequest> records)
    {
        var text = new StringBuilder();
        foreach (var request in records)
        {
            text.Append($"{request.Time.ToLocalTime():yyyy-MM-dd HH:mm:ss.fff} on node {request.Node}, {request.Side switch { "in" => "where it was received", "door" => "at the front door", _ => "where it was sent" }}\n");
            var lines = new List<(string Name, string? Value)>
            {
                ("request", request.IsHttp ? $"{request.Method} {request.Path} of {request.Authority} ({request.Protocol})" : "a connection of which no requests are known"),
                ("id", request.RequestId),
                ("source", RequestTexts.Source(request) + (request.Source.Identity is { } identity ? $" as {identity}" : ", without an identity")),
                ("called", request.Destination.Host is { } host ? RequestTexts.Short(host) : RequestTexts.Destination(request)),
                ("route", request.Side == "in" ? null : request.Route is null ? null : $"{request.Route}{(request.Cluster is { } cluster ? $" -> {cluster}" : "")}"),
                ("policy", request.Policy is { } policy ? $"{policy}{(request.PolicyRule is { } rule ? $" rule {rule}" : "")} {(request.Status == 403 || !request.IsHttp ? "refused it" : "allowed it")}" : request.Detail == "policy_none_allows" ? "there are ALLOW policies, and none of them takes it" : null),
                ("on trial", request.DryRunPolicy is { } trial ? $"{trial} would have refused it" : null),
            };
            lines.AddRange(request.Tries.Select((one, i) => ($"try {i + 1}", (string?)$"{one.Endpoint}: {one.Outcome}{(one.Status is { } status ? $" {status}" : "")} after {RequestTexts.Milliseconds(one.Milliseconds)}")));
            lines.Add(("reached", request.Side == "in" && request.IsFailed && request.Tries.Count == 0 ? null : request.Destination.Pod is { } pod ? $"{request.Destination.Namespace}/{pod}{(request.Security is { } security ? $", {SecurityText(security)}" : "")}" : request.Tries.Count == 0 && request.Side != "in" ? "nobody" : null));
            lines.Add(("result", $"{RequestTexts.Status(request)} after {RequestTexts.Milliseconds(request.Milliseconds)}{(request.Detail is { } detail ? $" ({detail})" : "")}"));
            lines.AddRange(request.Flags.Select(flag => (flag, (string?)FlagText(flag))));
            foreach (var (name, value) in lines.Where(line => line.Value is not null))
                text.Append($"  {name,-9} {value}\n");
            text.Append('\n');
        }

        return RequestTexts.CleanLines(text.ToString().TrimEnd('\n') + "\n");
    }

    /// <summary>What Envoy's letters say, in the sense in which Weft's proxies use them.</summary>
    public static string FlagText(string flag) => flag switch
    {
        "UH" => "no endpoint that is well",
        "UF" => "no connection to the endpoint",
        "UO" => "a limit of the pool was reached (DestinationRule connectionPool)",
        "NR" => "no route takes it",
        "NC" => "the route's destination does not exist",
        "URX" => "it was tried as often as is allowed",
        "UT" => "its time ran out (VirtualService timeout or perTryTimeout)",
        "UC" => "the endpoint closed the connection",
        "UR" => "the endpoint reset the stream",
        "UPE" => "the endpoint broke the protocol",
        "DC" => "the client went away before the answer was whole",
        "DPE" => "the client broke the protocol",
        "DI" => "delayed on purpose (VirtualService fault.delay)",
        "FI" => "answered on purpose (VirtualService fault.abort)",
        "RL" => "above a rate limit",
        "UAEX" => "refused by a policy or an authorizer",
        "SI" => "nothing came for the stream's idle time",
        "OM" => "the proxy was overloaded",
        "DF" => "the endpoint's name could not be resolved",
        _ => "",
    };

    private static string SecurityText(string security) => security switch { "mtls" => "by mutual TLS of the mesh", "local" => "on the same node", "tls" => "by TLS of the workloads' own", _ => "in plaintext" };

    private static string Outcome(Explanation explanation) => $"=> {explanation.Outcome switch
    {
        ExplainedOutcome.Forwarded => "FORWARDED", ExplainedOutcome.Answered => $"ANSWERED {explanation.Status}", ExplainedOutcome.Refused => $"REFUSED{(explanation.Status is { } status ? $" {status}" : "")}",
        ExplainedOutcome.Unreachable => $"UNREACHABLE{(explanation.Status is { } status ? $" {status}" : "")}", ExplainedOutcome.PassedThrough => "PASSED THROUGH", _ => "IT DEPENDS",
    }}: {explanation.Summary}";

    private static string Endpoints(IReadOnlyList<ExplainedEndpoint> endpoints)
    {
        var many = endpoints.Select(one => one.Cluster).Distinct().Count() > 1;
        var lines = new List<string[]> { new[] { "ENDPOINT", "WORKLOAD", "NODE", "LOCALITY", "WEIGHT", "HEALTH", "IN FLIGHT", "SECURITY", many ? "CLUSTER" : "" } };
        lines.AddRange(endpoints.Select(one => new[]
        {
            one.Address, one.Workload ?? "-", one.Node ?? "-", one.Locality ?? "-", FormattableString.Invariant($"{one.Weight}"), one.Health, one.Active is { } active ? FormattableString.Invariant($"{active}") : "-", one.Security, many ? one.Cluster : "",
        }));
        var widths = Enumerable.Range(0, lines[0].Length).Select(column => lines.Max(line => line[column].Length)).ToList();
        return string.Concat(lines.Select(line => "  " + string.Concat(line.Select((cell, column) => cell.PadRight(widths[column] + 2))).TrimEnd() + "\n"));
    }
}
