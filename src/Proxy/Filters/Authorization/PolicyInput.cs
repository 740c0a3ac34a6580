using Weft.Proxy.Routing;

namespace Weft.Proxy.Filters.Authorization;

/// <summary>What policies decide by.</summary>
/// <param name="Request">Null: a connection of which no request is known (TCP).</param>
/// <param name="Unknown">
/// What a condition on a request is, where there is no request: false for rules that allow, true for those that refuse. Either way the doubt closes the door.
/// </param>
internal readonly record struct PolicyInput(ConnectionFacts Connection, RequestFacts? Request, RequestIdentity? Identity, bool Unknown);
