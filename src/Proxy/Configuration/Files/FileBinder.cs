using System.Reflection;
using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Configuration.Files;

/// <summary>
/// From nodes to records of the model: a field of the file is a property of the record, in camel case, so that each part of the model can be written without a line of code here. What is
/// written more shortly than the model has it is in <see cref="FileForms"/>. Errors are gathered; the file is read to its end.
/// </summary>
internal sealed class FileBinder(List<FileError> errors)
{
    // Aliases make a small file a large tree: this is what all of it may come to.
    private const int MaxBound = 4_000_000;
    private const int MaxErrors = 100;
    private readonly Dictionary<string, long> _lines = [];
    private int _bound;

    /// <summary>What the reader adds to the model beside what it binds.</summary>
    public FileExtras Extras { get; } = new();

    public void Error(string path, FileNode node, string message)
    {
        if (errors.Count < MaxErrors)
            errors.Add(new(path, node.Line, message));
    }

    /// <summary>Line of the nearest part of a path that stands in the file; 0: none.</summary>
    public long LineOf(string path)
    {
        while (path.Length > 0)
        {
            if (_lines.TryGetValue(path, out var line))
                return line;
            path = path[..Math.Max(0, path.LastIndexOfAny(['.', '[']))];
        }

        return 0;
    }

    public T Bind<T>(FileNode node, string path) => (T)(Bind(typeof(T), node, path) ?? default(T)!);

    /// <summary>Null where it could not be, and an error was reported.</summary>
    public object? Bind(Type type, FileNode node, string path)
    {
        _lines.TryAdd(path, node.Line);
        if (++_bound > MaxBound)
        {
            if (_bound == MaxBound + 1)
                Error(path, node, "the aliases of this file make too much of it");
            return null;
        }

        type = Nullable.GetUnderlyingType(type) ?? type;
        if (FileForms.TryBind(this, type, node, path, out var special))
            return special;
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueList<>))
            return List(type.GetGenericArguments()[0], node, path);
        if (type == typeof(string) || type.IsPrimitive || type.IsEnum || type == typeof(TimeSpan))
            return Scalar(type, node, path);
        if (type.IsAbstract)
            return Union(type, node, path);
        return Record(type, node, path);
    }

    /// <summary>A mapping, or an error.</summary>
    public bool IsMapping(FileNode node, string path, string what)
    {
        if (node.Kind == NodeKind.Mapping)
            return true;
        Error(path, node, $"must be {what}");
        return false;
    }

    /// <param name="taken">Fields that the caller has read itself.</param>
    public object? Record(Type type, FileNode node, string path, params ReadOnlySpan<string> taken)
    {
        if (node is { Kind: NodeKind.Scalar, IsNull: true })
            node = new(NodeKind.Mapping, node.Line);
        var properties = type.GetProperties().Where(p => p.CanWrite && p.GetMethod is { IsStatic: false }).ToDictionary(p => FileScalars.Camel(p.Name));
        if (!IsMapping(node, path, "fields: " + string.Join(", ", properties.Keys.Order(StringComparer.Ordinal))))
            return null;
        var values = new Dictionary<string, object?>();
        foreach (var (name, value) in node.Fields)
        {
            if (taken.Contains(name))
                continue;
            if (!properties.TryGetValue(name, out var property))
                Error(path.Length == 0 ? name : $"{path}.{name}", value, $"there is no such field; known are {string.Join(", ", properties.Keys.Concat(taken.ToArray()).Distinct().Order(StringComparer.Ordinal))}");
            else if (Bind(property.PropertyType, value, path.Length == 0 ? name : $"{path}.{name}") is { } bound)
                values[name] = bound;
        }

        return Create(type, values, properties);
    }

    private static object Create(Type type, Dictionary<string, object?> values, Dictionary<string, PropertyInfo> properties)
    {
        var constructor = type.GetConstructors().OrderByDescending(c => c.GetParameters().Length).First(c => c.GetParameters() is not [{ } only] || only.ParameterType != type);
        var record = constructor.Invoke([.. constructor.GetParameters().Select(p => values.Remove(FileScalars.Camel(p.Name!), out var value) ? value : Missing(p))]);
        foreach (var (name, value) in values)
            properties[name].SetValue(record, value);
        return record;
    }

    // What has no default is empty here, and the validator says so.
    private static object? Missing(ParameterInfo parameter)
        => parameter.HasDefaultValue && parameter.DefaultValue is not null ? parameter.DefaultValue
            : parameter.ParameterType == typeof(string) && !parameter.HasDefaultValue ? ""
            : parameter.ParameterType.IsValueType ? Activator.CreateInstance(parameter.ParameterType) : null;

    private object List(Type item, FileNode node, string path)
    {
        // One in place of a list of one.
        IReadOnlyList<FileNode> nodes = node.Kind == NodeKind.Sequence ? node.Items : node.IsNull ? [] : [node];
        var items = Array.CreateInstance(item, nodes.Count);
        var count = 0;
        for (var i = 0; i < nodes.Count; i++)
        {
            if (Bind(item, nodes[i], node.Kind == NodeKind.Sequence ? $"{path}[{i}]" : path) is { } bound)
                items.SetValue(bound, count++);
        }

        var whole = Array.CreateInstance(item, count);
        Array.Copy(items, whole, count);
        return typeof(ValueList).GetMethod(nameof(ValueList.ToValueList))!.MakeGenericMethod(item).Invoke(null, [whole])!;
    }

    private object? Scalar(Type type, FileNode node, string path)
    {
        if (node.Kind != NodeKind.Scalar)
        {
            if (type.IsEnum && node.Kind == NodeKind.Sequence && type.IsDefined(typeof(FlagsAttribute)))
                return Enum.ToObject(type, node.Items.Select((n, i) => Convert.ToInt32(Scalar(type, n, $"{path}[{i}]") ?? 0)).Aggregate(0, (a, b) => a | b));
            FileScalars.Read(type, "", out var what);
            Error(path, node, $"must be {(what.Length > 0 ? what : "a text")}");
            return null;
        }

        var value = node.IsNull && type != typeof(string) ? null : FileScalars.Read(type, node.Value, out _);
        if (value is null)
        {
            FileScalars.Read(type, node.Value, out var expected);
            Error(path, node, $"'{node.Value}' is not {expected}");
        }

        return value;
    }

    // One of several kinds: `cors: {...}`, or `source` for one that needs nothing.
    private object? Union(Type type, FileNode node, string path)
    {
        var kinds = FileForms.Kinds(type);
        var (name, value) = node switch
        {
            { Kind: NodeKind.Scalar } => (node.Value, new FileNode(NodeKind.Mapping, node.Line)),
            { Kind: NodeKind.Mapping, Fields: [var only] } => (only.Key, only.Value),
            _ => ("", node),
        };
        if (!kinds.TryGetValue(name, out var kind))
        {
            Error(path, node, $"must be one of {string.Join(", ", kinds.Keys)}");
            return null;
        }

        _lines.TryAdd($"{path}.{name}", value.Line);
        // `header: x-user` for a kind with one text or number.
        if (value is { Kind: NodeKind.Scalar, IsNull: false } && kind.GetConstructors().Select(c => c.GetParameters()).FirstOrDefault(p => p is [{ } only] && only.ParameterType != kind) is [{ } parameter])
            return Bind(parameter.ParameterType, value, $"{path}.{name}") is { } argument ? Activator.CreateInstance(kind, argument) : null;
        return Bind(kind, value, $"{path}.{name}");
    }
}

/// <summary>Clusters and certificates that stand where they are used, in place of a name.</summary>
internal sealed class FileExtras
{
    public List<ClusterConfig> Clusters { get; } = [];

    public List<CertificateConfig> Certificates { get; } = [];

    public List<RouteTableConfig> RouteTables { get; } = [];

    /// <summary>Parts of the model that stand elsewhere in the file.</summary>
    public List<(string Model, string File)> Places { get; } = [];
}
