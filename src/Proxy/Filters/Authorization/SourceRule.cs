using Weft.Proxy.Config.Model;
using Weft.Proxy.Routing.Matching;

namespace Weft.Proxy.Filters.Authorization;

/// <summary>A compiled <see cref="AuthorizationSource"/>.</summary>
internal sealed class SourceRule(AuthorizationSource source)
{
    private readonly PolicyTexts? _principals = PolicyTexts.Of(source.Principals);
    private readonly PolicyTexts? _notPrincipals = PolicyTexts.Of(source.NotPrincipals);
    private readonly PolicyTexts? _requestPrincipals = PolicyTexts.Of(source.RequestPrincipals);
    private readonly PolicyTexts? _notRequestPrincipals = PolicyTexts.Of(source.NotRequestPrincipals);
    private readonly PolicyTexts? _namespaces = PolicyTexts.Of(source.Namespaces);
    private readonly PolicyTexts? _notNamespaces = PolicyTexts.Of(source.NotNamespaces);
    private readonly PolicyTexts? _accounts = PolicyTexts.Of(source.ServiceAccounts);
    private readonly PolicyTexts? _notAccounts = PolicyTexts.Of(source.NotServiceAccounts);
    private readonly AddressRanges _blocks = new(source.IpBlocks);
    private readonly AddressRanges _notBlocks = new(source.NotIpBlocks);
    private readonly AddressRanges _remote = new(source.RemoteIpBlocks);
    private readonly AddressRanges _notRemote = new(source.NotRemoteIpBlocks);

    /// <summary>An identity without its scheme; empty: unknown, which matches no list, not even `*`.</summary>
    public static ReadOnlySpan<char> Principal(string? identity)
        => identity is null ? default : identity.StartsWith("spiffe://", StringComparison.Ordinal) ? identity.AsSpan(9) : identity;

    public bool Holds(in PolicyInput input)
    {
        var connection = input.Connection;
        var principal = Principal(connection.Identity);
        return (_principals is null || _principals.Match(principal))
            && (_notPrincipals is null || !_notPrincipals.Match(principal))
            && (_namespaces is null || _namespaces.Match(connection.Namespace))
            && (_notNamespaces is null || !_notNamespaces.Match(connection.Namespace))
            && (_accounts is null || _accounts.Match(Account(input)))
            && (_notAccounts is null || !_notAccounts.Match(Account(input)))
            && (_blocks.IsEmpty || _blocks.Contains(connection.Source.Address))
            && !_notBlocks.Contains(connection.Source.Address)
            && HoldsForRequest(input);
    }

    private bool HoldsForRequest(in PolicyInput input)
    {
        if (_requestPrincipals is null && _notRequestPrincipals is null && _remote.IsEmpty && _notRemote.IsEmpty)
            return true;
        if (input.Request is null)
            return input.Unknown;
        var principal = input.Identity?.Principal;
        return (_requestPrincipals is null || _requestPrincipals.Match(principal))
            && (_notRequestPrincipals is null || !_notRequestPrincipals.Match(principal))
            && (_remote.IsEmpty || _remote.Contains(input.Request.ClientAddress))
            && !_notRemote.Contains(input.Request.ClientAddress);
    }

    private static string Account(in PolicyInput input)
        => input.Connection is { Namespace: { } ns, ServiceAccount: { } account } ? $"{ns}/{account}" : "";
}
