namespace Cake.Frosting;

/// <summary>The task runs before another one.</summary>
/// <param name="type">The type of the task that runs after.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class IsDependeeOfAttribute(Type type) : Attribute, IReverseTaskDependency
{
    /// <summary>The type of the task that runs after.</summary>
    public Type Task { get; } = type ?? throw new ArgumentNullException(nameof(type));
}
