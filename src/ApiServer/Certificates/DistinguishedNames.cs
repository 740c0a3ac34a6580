using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace Weft.ApiServer.Certificates;

/// <summary>
/// Reads a subject's DER. Not <see cref="X500RelativeDistinguishedName.GetSingleElementType"/>: Go's certificates put all organizations
/// in one multi-valued set, which it refuses.
/// </summary>
internal static class DistinguishedNames
{
    internal const string CommonName = "2.5.4.3";
    internal const string Organization = "2.5.4.10";

    /// <summary>All values of an attribute in their order. Null when the name is not well-formed.</summary>
    internal static IReadOnlyList<string>? Values(X500DistinguishedName name, string oid)
    {
        var found = new List<string>();
        try
        {
            var reader = new AsnReader(name.RawData, AsnEncodingRules.DER);
            var sequence = reader.ReadSequence();
            while (sequence.HasData)
            {
                var set = sequence.ReadSetOf(skipSortOrderValidation: true);
                while (set.HasData)
                {
                    var attribute = set.ReadSequence();
                    if (attribute.ReadObjectIdentifier() == oid)
                        found.Add(ReadText(attribute));
                }
            }
        }
        catch (AsnContentException)
        {
            return null;
        }

        return found;
    }

    private static string ReadText(AsnReader reader)
    {
        var tag = reader.PeekTag();
        if (tag.TagClass != TagClass.Universal)
            throw new AsnContentException();
        return (UniversalTagNumber)tag.TagValue switch
        {
            UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString or UniversalTagNumber.IA5String
                => reader.ReadCharacterString((UniversalTagNumber)tag.TagValue),
            _ => throw new AsnContentException(),
        };
    }
}
