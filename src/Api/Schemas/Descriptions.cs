using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace Weft.Api.Schemas;

/// <summary>The docstrings of the API types, from the documentation file that the compiler puts beside the assembly. Read at the first question.</summary>
public sealed partial class Descriptions
{
    private readonly Lazy<IReadOnlyDictionary<string, string>> _texts;

    public Descriptions() : this(Path.Combine(AppContext.BaseDirectory, "Weft.Api.xml"))
    {
    }

    public Descriptions(string file) => _texts = new(() => Read(file));

    public string? Of(Type type) => _texts.Value.GetValueOrDefault($"T:{type.FullName}");

    public string? Of(Type owner, PropertyInfo member) =>
        _texts.Value.GetValueOrDefault($"P:{owner.FullName}.{member.Name}")
        ?? (owner.IsAssignableTo(typeof(IObject)) ? _texts.Value.GetValueOrDefault($"P:{typeof(IObject).FullName}.{member.Name}") : null);

    // A deployment without the file serves schemas without descriptions: explain then shows names and types only.
    private static IReadOnlyDictionary<string, string> Read(string file)
    {
        var texts = new Dictionary<string, string>();
        if (!File.Exists(file))
            return texts;
        using var reader = XmlReader.Create(file, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, IgnoreComments = true });
        foreach (var member in XDocument.Load(reader).Descendants("member"))
        {
            if (member.Attribute("name")?.Value is { } name && name.Length > 2 && name[0] is 'T' or 'P' && member.Element("summary") is { } summary)
                texts[name] = TextOf(summary);
        }
        return texts;
    }

    private static string TextOf(XElement summary)
    {
        var text = new StringBuilder();
        foreach (var node in summary.DescendantNodes())
        {
            if (node is XText plain)
                text.Append(plain.Value);
            else if (node is XElement { IsEmpty: true } reference && (reference.Attribute("cref") ?? reference.Attribute("langword"))?.Value is { } target)
                text.Append(target[(target.LastIndexOf('.') + 1)..]);
        }
        return Spaces().Replace(text.ToString(), " ").Trim();
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
