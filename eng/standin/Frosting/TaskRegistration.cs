using System.Reflection;
using Cake.Core;
using Cake.Core.Diagnostics;

namespace Cake.Frosting;

/// <summary>Creates tasks of Cake's engine from Frosting's task objects and their attributes.</summary>
internal static class TaskRegistration
{
    public static void Register(ICakeEngine engine, IFrostingContext context, IEnumerable<IFrostingTask> tasks)
    {
        foreach (var task in tasks)
        {
            var contextType = ContextType(task.GetType());
            if (contextType.IsInstanceOfType(context))
            {
                Register(engine, context, task);
            }
            else
            {
                context.Log.Warning("Task '{0}' is left out: it wants a {1}, and the context is a {2}.",
                    Name(task.GetType()), contextType.Name, context.GetType().Name);
            }
        }
    }

    private static void Register(ICakeEngine engine, IFrostingContext context, IFrostingTask task)
    {
        var type = task.GetType();
        var builder = engine.RegisterTask(Name(type));
        if (type.GetCustomAttribute<TaskDescriptionAttribute>() is { } description)
        {
            builder.Description(description.Description);
        }

        foreach (var dependency in type.GetCustomAttributes<IsDependentOnAttribute>())
        {
            builder.IsDependentOn(Name(Dependency(type, dependency.Task)));
        }

        foreach (var dependency in type.GetCustomAttributes<IsDependeeOfAttribute>())
        {
            builder.IsDependeeOf(Name(Dependency(type, dependency.Task)));
        }

        if (type.IsDefined(typeof(ContinueOnErrorAttribute)))
        {
            builder.ContinueOnError();
        }

        builder.WithCriteria(_ => task.ShouldRun(context), task.SkippedMessage);
        builder.Does(_ => task.RunAsync(context));

        // A handler swallows the exception and conflicts with ContinueOnError, so there is one only if the task overrides it.
        if (Overrides(type, nameof(IFrostingTask.OnError)))
        {
            builder.OnError(fault => task.OnError(fault, context));
        }

        if (Overrides(type, nameof(IFrostingTask.Finally)))
        {
            builder.Finally(() => task.Finally(context));
        }
    }

    private static string Name(Type type) => type.GetCustomAttribute<TaskNameAttribute>()?.Name ?? type.Name;

    private static Type Dependency(Type task, Type dependency) => typeof(IFrostingTask).IsAssignableFrom(dependency)
        ? dependency
        : throw new FrostingException($"Task '{Name(task)}' names '{dependency.FullName}' as a dependency, which is not a task.");

    private static bool Overrides(Type type, string method) => type.GetMethods(BindingFlags.Instance | BindingFlags.Public)
        .Where(candidate => candidate.Name == method)
        .Any(candidate => candidate.GetBaseDefinition().DeclaringType is var first
            && first != candidate.DeclaringType
            && IsTaskBase(first));

    private static Type ContextType(Type task)
    {
        for (var type = task; type is not null; type = type.BaseType)
        {
            if (IsTaskBase(type))
            {
                return type.GetGenericArguments()[0];
            }
        }

        throw new FrostingException($"Task '{Name(task)}' derives neither from FrostingTask nor from AsyncFrostingTask.");
    }

    private static bool IsTaskBase(Type? type) => type is { IsGenericType: true }
        && (type.GetGenericTypeDefinition() == typeof(FrostingTask<>) || type.GetGenericTypeDefinition() == typeof(AsyncFrostingTask<>));
}
