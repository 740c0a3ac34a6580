using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Routing.Matching;

namespace Weft.Proxy.Routing.Table;

/// <summary>What a rule asks beside the path. All must hold.</summary>
internal sealed class RuleConditions
{
    private readonly byte[][] _methods;
    private readonly int[] _ports;
    private readonly NamedMatcher[] _headers;
    private readonly NamedMatcher[] _query;
    private readonly ClaimMatcher[] _claims;
    private readonly TextMatcher? _authority;
    private readonly TextMatcher? _scheme;
    private readonly SourceMatcher? _source;
    private readonly HostPattern[] _serverNames;

    private RuleConditions(RouteMatch match)
    {
        _methods = [.. match.Methods.Select(Encoding.ASCII.GetBytes)];
        _ports = [.. match.Ports];
        _headers = [.. match.Headers.Select(h => new NamedMatcher(h))];
        _query = [.. match.Query.Select(q => new NamedMatcher(q))];
        _claims = [.. match.Claims.Select(c => new ClaimMatcher(c))];
        _authority = match.Authority is { } authority ? new(authority) : null;
        _scheme = match.Scheme is { } scheme ? new(scheme) : null;
        _source = SourceMatcher.Of(match.Source);
        _serverNames = [.. match.ServerNames.Select(n => new HostPattern(n))];
    }

    /// <summary>Null: a path is all that is asked.</summary>
    public static RuleConditions? Of(RouteMatch match) => match with { Path = null } == RouteMatch.Any ? null : new(match);

    public bool Hold(RequestFacts facts)
        => HasMethod(facts)
            && (_ports.Length == 0 || _ports.AsSpan().Contains(facts.Connection.Destination.Port))
            && (_scheme is null || _scheme.Matches(facts.Head.Scheme))
            && (_authority is null || _authority.Matches(facts.Host.Authority))
            && HasServerName(facts)
            && (_source is null || _source.Matches(facts.Connection))
            && HasHeaders(facts)
            && HasQuery(facts)
            && HasClaims(facts);

    private bool HasMethod(RequestFacts facts)
    {
        foreach (var method in _methods)
        {
            if (facts.Head.Method.SequenceEqual(method))
                return true;
        }

        return _methods.Length == 0;
    }

    private bool HasServerName(RequestFacts facts)
    {
        foreach (var pattern in _serverNames)
        {
            if (pattern.Matches(facts.Connection.ServerName))
                return true;
        }

        return _serverNames.Length == 0;
    }

    private bool HasHeaders(RequestFacts facts)
    {
        foreach (var header in _headers)
        {
            if (!header.MatchesHeader(facts))
                return false;
        }

        return true;
    }

    private bool HasClaims(RequestFacts facts)
    {
        foreach (var claim in _claims)
        {
            if (!claim.Matches(facts.Token))
                return false;
        }

        return true;
    }

    private bool HasQuery(RequestFacts facts)
    {
        foreach (var parameter in _query)
        {
            if (!parameter.MatchesQuery(facts.Path.Query))
                return false;
        }

        return true;
    }
}
