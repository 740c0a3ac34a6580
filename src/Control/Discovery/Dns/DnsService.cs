using Weft.Control.Discovery.Model;
using Weft.Proxy.Config.Model;

namespace Weft.Control.Discovery.Dns;

/// <summary>A service of the table whose instances DNS knows. Two are the same when everything is: a change asks anew.</summary>
/// <param name="Origin">`services.yaml:12`.</param>
/// <param name="Question">The name, whether by SRV records, the port otherwise, and who is asked.</param>
/// <param name="Keep">How long the last good answer is used while there is no other.</param>
/// <param name="Template">Name, tags and metadata that each instance has.</param>
public sealed record DnsService(string Origin, DnsDiscovery Question, TimeSpan Keep, Instance Template)
{
    // RFC 8767 section 5: an answer may be used for one to three days after its time where there is no other.
    public static readonly TimeSpan DefaultKeep = TimeSpan.FromDays(1);

    public static readonly TimeSpan LongestKeep = TimeSpan.FromDays(7);

    /// <summary>Whether the same would be asked and made of it. (Maps and lists of a record are compared by reference.)</summary>
    public bool IsSame(DnsService other) => Origin == other.Origin && Question == other.Question && Keep == other.Keep
        && Template.Tags.SequenceEqual(other.Template.Tags) && Template.Meta.SequenceEqual(other.Template.Meta);
}
