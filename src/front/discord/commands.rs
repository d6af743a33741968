//! The commands as Discord registers them, from the one command enum.

use serenity::builder::{CreateCommand, CreateCommandOption};
use serenity::model::Permissions;
use serenity::model::application::{CommandOptionType, CommandType, InstallationContext, InteractionContext};

use crate::chat::command::{Command, CommandOption, OptionKind};
use crate::chat::{Lang, Role, text};

/// Discord's name of our second language.
const JA: &str = "ja";

/// Every command of the menus, under the one name that `/help` gives it in every language, and "Where is this?" in the menu of each message.
pub(super) fn all() -> Vec<CreateCommand> {
    let slash = Command::menu(Role::Owner).map(slash);
    slash.chain([menu()]).map(everywhere).collect()
}

fn slash(command: Command) -> CreateCommand {
    let create = CreateCommand::new(command.name())
        .kind(CommandType::ChatInput)
        .description(text::command(Lang::En, command))
        .description_localized(JA, text::command(Lang::Ja, command));
    // Discord knows nobody's admins but the server's own: they see the command, as does everybody in private. Who may
    // use it, the conversation says.
    let create = match command.role() {
        Role::Admin | Role::Owner => create.default_member_permissions(Permissions::ADMINISTRATOR),
        Role::Member | Role::Moderator => create,
    };
    let create = if command.takes_photos() { create.add_option(photo()) } else { create };
    command.options().iter().fold(create, |create, option| create.add_option(words(command, *option)))
}

/// An option as the conversation reads it. Its name and its choices are the same words in every language.
fn words(command: Command, option: CommandOption) -> CreateCommandOption {
    let description = text::command_option(Lang::En, command, option.name);
    let create = |kind| {
        CreateCommandOption::new(kind, option.name, description)
            .description_localized(JA, text::command_option(Lang::Ja, command, option.name))
            .required(false)
    };
    match option.kind {
        OptionKind::Integer { min, max } => {
            create(CommandOptionType::Integer).min_int_value(min.into()).max_int_value(max.into())
        }
        OptionKind::Choice(choices) => choices
            .iter()
            .fold(create(CommandOptionType::String), |create, choice| create.add_string_choice(*choice, *choice)),
        OptionKind::Text => create(CommandOptionType::String),
    }
}

fn photo() -> CreateCommandOption {
    let description = text::photo_option(Lang::En);
    CreateCommandOption::new(CommandOptionType::Attachment, text::photo_option_name(Lang::En), description)
        .name_localized(JA, text::photo_option_name(Lang::Ja))
        .description_localized(JA, text::photo_option(Lang::Ja))
        .required(true)
}

fn menu() -> CreateCommand {
    CreateCommand::new(text::message_menu(Lang::En))
        .kind(CommandType::Message)
        .name_localized(JA, text::message_menu(Lang::Ja))
}

/// In servers that have the bot and in private messages with it.
fn everywhere(command: CreateCommand) -> CreateCommand {
    command
        .integration_types(vec![InstallationContext::Guild])
        .contexts(vec![InteractionContext::Guild, InteractionContext::BotDm])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn registration_and_menus_agree() {
        let registered = serde_json::to_value(all()).expect("JSON");
        let registered = registered.as_array().expect("an array");
        let slash: Vec<&Value> = registered.iter().filter(|command| command["type"] == 1).collect();
        let names: Vec<Option<Command>> =
            slash.iter().map(|command| Command::parse(command["name"].as_str().expect("a name"))).collect();
        let menus: Vec<_> = Command::menu(Role::Owner).map(Some).collect();
        assert_eq!(names, menus);
        for (create, command) in slash.iter().zip(menus.iter().flatten()) {
            assert_eq!(create["default_member_permissions"] == "8", command.role() >= Role::Admin, "{create}");
            assert_eq!(create["options"][0]["required"] == true, command.takes_photos(), "{create}");
            let given = create["options"].as_array().map_or(0, Vec::len);
            assert_eq!(given, command.options().len() + usize::from(command.takes_photos()), "{create}");
        }
        assert_eq!(registered.len(), slash.len() + 1);
    }

    #[test]
    fn names_and_descriptions_keep_to_the_limits_of_discord() {
        let lower =
            |name: &str| name.chars().all(|c| (c.is_alphanumeric() && !c.is_uppercase()) || matches!(c, '-' | '_'));
        let fits = |name: &str, limit: usize| (1..=limit).contains(&name.chars().count());
        for lang in Lang::ALL {
            for command in Command::menu(Role::Owner) {
                assert!(lower(command.name()) && fits(command.name(), 32), "{command:?}");
                assert!(fits(&text::command(lang, command), 100), "{command:?}");
                for option in command.options() {
                    let description = text::command_option(lang, command, option.name);
                    assert!(lower(option.name) && fits(option.name, 32) && fits(&description, 100), "{option:?}");
                }
            }
            let name = text::photo_option_name(lang);
            assert!(lower(&name) && fits(&name, 32), "{name}");
            assert!(fits(&text::photo_option(lang), 100) && fits(&text::message_menu(lang), 32));
        }
    }
}
