namespace Cake.Frosting;

/// <summary>The task runs after another one.</summary>
/// <param name="type">The type of the task that runs before.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class IsDependentOnAttribute(Type type) : Attribute, ITaskDependency
{
    /// <summary>The type of the task that runs before.</summary>
    public Type Task { get; } = type ?? throw new ArgumentNullException(nameof(type));
}
