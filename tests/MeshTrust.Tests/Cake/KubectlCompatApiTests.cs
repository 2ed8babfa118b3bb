using System.Reflection;
using Cake.Kubectl;

namespace MeshTrust.Tests.Cake;

/// <summary>
/// Compares the stand-in of Cake.Kubectl with the recorded part of the addin's public API that MeshTrust uses: nothing less, and nothing more, or a build that
/// compiles here would not compile against the package. The package itself has at least that.
/// </summary>
public sealed class KubectlCompatApiTests
{
    /// <summary>Of Cake.Kubectl 1.1.0.</summary>
    private static readonly string[] Written =
    [
        "abstract class Cake.Kubectl.AutoToolSettings : Cake.Core.Tooling.ToolSettings",
        "sealed class Cake.Kubectl.KubectlApplySettings : Cake.Kubectl.AutoToolSettings",
        "Cake.Kubectl.KubectlApplySettings: System.String FieldManager { get; set; }",
        "Cake.Kubectl.KubectlApplySettings: System.String Filename { get; set; }",
        "Cake.Kubectl.KubectlApplySettings: System.Nullable<System.Boolean> ServerSide { get; set; }",
        "Cake.Kubectl.KubectlApplySettings: .ctor()",
        "static class Cake.Kubectl.KubectlAliases : System.Object",
        "Cake.Kubectl.KubectlAliases: static System.Void KubectlApply(Cake.Core.ICakeContext context, Cake.Kubectl.KubectlApplySettings settings)",
    ];

    private static readonly Assembly Kubectl = typeof(KubectlAliases).Assembly;

    private static bool StandIn => Kubectl.GetName().Name == "MeshTrust.KubectlCompat";

    [Test]
    public void Has_exactly_the_listed_public_API()
    {
        var built = Kubectl.GetExportedTypes().SelectMany(Surface).ToList();

        Assert.That(built, StandIn ? Is.EquivalentTo(Written) : Is.SupersetOf(Written));
    }

    [Test]
    public void Is_a_Cake_alias() =>
        Assert.That(typeof(KubectlAliases).GetMethod("KubectlApply")!.GetCustomAttributes().Select(a => a.GetType().Name), Does.Contain("CakeMethodAliasAttribute").And.Contain("ExtensionAttribute"));

    private static IEnumerable<string> Surface(Type type)
    {
        var kind = type is { IsAbstract: true, IsSealed: true } ? "static class" : type.IsAbstract ? "abstract class" : type.IsSealed ? "sealed class" : "class";
        yield return $"{kind} {type.FullName} : {type.BaseType?.FullName}";
        foreach (var member in type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
        {
            if (Text(member) is { } text) yield return $"{type.FullName}: {text}";
        }
    }

    private static string? Text(MemberInfo member) => member switch
    {
        ConstructorInfo constructor => $".ctor({Parameters(constructor)})",
        MethodInfo { IsSpecialName: false } method => $"{(method.IsStatic ? "static " : "")}{Name(method.ReturnType)} {method.Name}({Parameters(method)})",
        PropertyInfo property => $"{Name(property.PropertyType)} {property.Name} {{ get; {(property.SetMethod is { IsPublic: true } ? "set; " : "")}}}",
        _ => null,
    };

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter => $"{Name(parameter.ParameterType)} {parameter.Name}"));

    private static string Name(Type type) => Nullable.GetUnderlyingType(type) is { } value ? $"System.Nullable<{value.FullName}>" : type.FullName ?? type.Name;
}
