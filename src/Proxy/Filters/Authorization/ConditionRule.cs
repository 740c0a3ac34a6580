using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Routing.Matching;

namespace Weft.Proxy.Filters.Authorization;

/// <summary>A compiled <see cref="AuthorizationCondition"/>.</summary>
internal sealed class ConditionRule
{
    private readonly Attribute _attribute;
    private readonly byte[] _header = [];
    private readonly string[] _claim = [];
    private readonly PolicyTexts? _values;
    private readonly PolicyTexts? _notValues;
    private readonly AddressRanges _ranges = new([]);
    private readonly AddressRanges _notRanges = new([]);

    /// <exception cref="ArgumentException">The key is not known. A condition that is not understood must not count as one that holds.</exception>
    public ConditionRule(AuthorizationCondition condition)
    {
        if (condition.Values.IsEmpty && condition.NotValues.IsEmpty)
            throw new ArgumentException($"the condition '{condition.Key}' has neither values nor notValues");
        var open = condition.Key.IndexOf('[');
        var name = open < 0 ? condition.Key : condition.Key[..open];
        string[] index = open < 0 ? [] : condition.Key[(open + 1)..].TrimEnd(']').Split("][");
        _attribute = name switch
        {
            "request.headers" when index.Length == 1 => Attribute.Header,
            "request.auth.claims" when index.Length > 0 => Attribute.Claim,
            "request.auth.principal" => Attribute.RequestPrincipal,
            "request.auth.audiences" => Attribute.Audiences,
            "request.auth.presenter" => Attribute.Presenter,
            "source.ip" => Attribute.SourceIp,
            "remote.ip" => Attribute.RemoteIp,
            "source.namespace" => Attribute.Namespace,
            "source.principal" => Attribute.Principal,
            "source.serviceAccount" => Attribute.ServiceAccount,
            "destination.ip" => Attribute.DestinationIp,
            "destination.port" => Attribute.DestinationPort,
            "connection.sni" => Attribute.ServerName,
            _ => throw new ArgumentException($"'{condition.Key}' is no condition"),
        };
        if (_attribute == Attribute.Header)
            _header = Encoding.ASCII.GetBytes(index[0].ToLowerInvariant());
        _claim = index;
        if (_attribute is Attribute.SourceIp or Attribute.RemoteIp or Attribute.DestinationIp)
            (_ranges, _notRanges) = (new(condition.Values), new(condition.NotValues));
        else
            (_values, _notValues) = (PolicyTexts.Of(condition.Values), PolicyTexts.Of(condition.NotValues));
    }

    private enum Attribute
    {
        Header, Claim, RequestPrincipal, Audiences, Presenter, SourceIp, RemoteIp, Namespace, Principal, ServiceAccount, DestinationIp, DestinationPort, ServerName,
    }

    public bool Holds(in PolicyInput input)
    {
        if (_attribute is Attribute.Header or Attribute.Claim or Attribute.RequestPrincipal or Attribute.Audiences or Attribute.Presenter or Attribute.RemoteIp && input.Request is null)
            return input.Unknown;
        var address = _attribute switch
        {
            Attribute.SourceIp => input.Connection.Source.Address,
            Attribute.DestinationIp => input.Connection.Destination.Address,
            Attribute.RemoteIp => input.Request!.ClientAddress,
            _ => null,
        };
        if (address is not null)
            return (_ranges.IsEmpty || _ranges.Contains(address)) && !_notRanges.Contains(address);
        return (_values is null || Matches(_values, input)) && (_notValues is null || !Matches(_notValues, input));
    }

    private bool Matches(PolicyTexts texts, in PolicyInput input)
    {
        var connection = input.Connection;
        return _attribute switch
        {
            Attribute.Header when _header.AsSpan().SequenceEqual(":authority"u8) || _header.AsSpan().SequenceEqual("host"u8) => texts.Match(input.Request!.Host.Authority),
            Attribute.Header when _header.AsSpan().SequenceEqual(":method"u8) => texts.Match(input.Request!.Head.Method),
            Attribute.Header when _header.AsSpan().SequenceEqual(":path"u8) => texts.Match(input.Request!.Path.Target),
            Attribute.Header => texts.MatchHeader(input.Request!.Head.Headers, _header),
            Attribute.Claim => input.Identity is { } identity && texts.MatchAny(identity.Claim(_claim)),
            Attribute.Audiences => input.Identity is { } identity && texts.MatchAny(identity.Audiences),
            Attribute.Presenter => texts.Match(input.Identity?.Presenter),
            Attribute.RequestPrincipal => texts.Match(input.Identity?.Principal),
            Attribute.Namespace => texts.Match(connection.Namespace),
            Attribute.Principal => texts.Match(SourceRule.Principal(connection.Identity)),
            Attribute.ServiceAccount => texts.Match(connection is { Namespace: { } ns, ServiceAccount: { } account } ? $"{ns}/{account}" : ""),
            Attribute.DestinationPort => texts.Match(connection.Destination.Port.ToString()),
            _ => texts.Match(connection.ServerName),
        };
    }
}
