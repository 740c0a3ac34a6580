using System.Net;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Inspection;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Mesh.State;
using Weft.Proxy.Routing;
using Weft.Proxy.Tls;

namespace Weft.Proxy.Mesh.Inspection.Explaining;

/// <summary>What comes from outside, through the front door.</summary>
internal sealed class DoorExplainer(ExplainerParts parts, ExplanationDraft draft)
{
    // RFC 5737: nobody's, so no rule is meant for it.
    private static readonly IPAddress Somewhere = IPAddress.Parse("203.0.113.1");

    public Explanation Explain(ExplainQuestion question)
    {
        var door = DoorJoin.Of(parts.State, (parts.DoorAddress ?? IPAddress.Any).ToString(), out var left);
        var listener = door.Listeners.FirstOrDefault(one => one.Port == question.Port);
        if (listener is null)
        {
            return draft.Stop("door", ExplainedOutcome.Unreachable, null, $"nothing listens on port {question.Port} of the front door: no Gateway and no Ingress asks for it",
                [$"its ports: {(door.Listeners.IsEmpty ? "none" : string.Join(", ", door.Listeners.Select(one => one.Port)))}", .. left.Select(one => $"left out: {one.Key.Name}: {one.Error}")]);
        }

        draft.Uses(UnitKind.Listener, listener.Name);
        var isTls = question.Scheme == "https";
        if (isTls != (listener.Tls is not null || listener.Kind == ListenerKind.TlsPassthrough))
            return draft.Stop("door", ExplainedOutcome.Refused, isTls ? null : 400, $"port {listener.Port} of the front door speaks {(isTls ? "no TLS" : "TLS alone")}");
        draft.Good("door", $"port {listener.Port} of the front door: {listener.Kind}{(isTls ? " over TLS" : "")}, listener {listener.Name}");
        var client = question.Headers.FirstOrDefault(header => header.Name.Equals("x-forwarded-for", StringComparison.OrdinalIgnoreCase))?.Value;
        var from = client is not null && IPAddress.TryParse(client.Split(',')[^1].Trim(), out var said) ? said : Somewhere;
        var facts = new ConnectionFacts { Source = new IPEndPoint(from, 0), Destination = new IPEndPoint(IPAddress.Any, listener.Port), IsTls = isTls, ServerName = isTls ? question.Host.ToLowerInvariant() : null };
        var identity = $"spiffe://{parts.TrustDomain}/ns/{DoorNames.Namespace}/sa/{DoorNames.ServiceAccount}";
        var routes = new RouteExplainer(parts, draft);
        if (listener.Kind != ListenerKind.Http || listener.RouteTable is not { } table || TlsNames.Of(listener.Tls)?.IsPassedOn(facts.ServerName) == true)
            return routes.Connections(listener, facts, identity, IPAddress.None, isTls ? "TLS" : "bytes");
        ImaginedIdentity? token = null;
        if (!listener.Filters.IsEmpty)
        {
            var request = ImaginedRequest.Of(question, facts, listener.Http.Path, out _);
            var judgement = PolicyJudge.Of(listener.Filters, facts, request, ImaginedRequest.TokenOf(question), parts.State);
            if (!judgement.Allowed)
                return draft.Stop("door policy", ExplainedOutcome.Refused, judgement.Status, judgement.Text, judgement.Why);
            draft.Good("door policy", judgement.Text, judgement.Why);
            token = judgement.Token;
        }

        return routes.Requests(question, parts.State.Tables.Of(table).Whole, listener, facts, identity, IPAddress.None, token);
    }
}
