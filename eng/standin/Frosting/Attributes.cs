namespace Cake.Frosting;

/// <summary>Names a task; without it the task has the name of its type. Names share one namespace and ignore case.</summary>
/// <param name="name">The name.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class TaskNameAttribute(string name) : Attribute
{
    /// <summary>The name.</summary>
    public string Name { get; } = name ?? throw new ArgumentNullException(nameof(name));
}

/// <summary>Says what a task does, for <c>--description</c>.</summary>
/// <param name="description">The description.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class TaskDescriptionAttribute(string description) : Attribute
{
    /// <summary>The description.</summary>
    public string Description { get; } = description ?? throw new ArgumentNullException(nameof(description));
}

/// <summary>The task runs after another one.</summary>
/// <param name="type">The type of the task that runs before.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class IsDependentOnAttribute(Type type) : Attribute, ITaskDependency
{
    /// <summary>The type of the task that runs before.</summary>
    public Type Task { get; } = type ?? throw new ArgumentNullException(nameof(type));
}

/// <summary>The task runs before another one.</summary>
/// <param name="type">The type of the task that runs after.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class IsDependeeOfAttribute(Type type) : Attribute, IReverseTaskDependency
{
    /// <summary>The type of the task that runs after.</summary>
    public Type Task { get; } = type ?? throw new ArgumentNullException(nameof(type));
}

/// <summary>The run continues if the task fails. Cannot be combined with an override of OnError.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class ContinueOnErrorAttribute : Attribute
{
}

/// <summary>An attribute that names a task which must run before.</summary>
internal interface ITaskDependency
{
    Type Task { get; }
}

/// <summary>An attribute that names a task which must run after.</summary>
internal interface IReverseTaskDependency
{
    Type Task { get; }
}
