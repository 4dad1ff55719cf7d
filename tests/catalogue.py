"""The catalogue of faults, row by row: the tests that prove each promise, and what is proven elsewhere.

The rows are those of RELIABILITY.md, sections 2.2 to 2.8, in its order; the fault kinds of a row are parameters of the tests
that play `KINDS`. A new row without a test, and a test that was renamed, fail `tests/test_catalogue.py`.
"""

from collections.abc import Mapping

Rows = Mapping[str, tuple[str, ...]]

FAULTS = "tests/adapters/test_faults.py::test_nothing_is_traded_on_a_fault_and_all_is_as_before_two_ticks_after_it"
"""P1 to P5 under each kind of fault, which every answer shows: no entry and no exit on it, and health notices."""

FEATURES = "tests/adapters/test_faults.py::test_a_feature_waits_while_its_source_lies"
SPOILED = "tests/adapters/test_faults.py::test_a_spoiled_book_is_refused_or_still_the_true_one"
SOCKET = "tests/adapters/test_faults.py::test_a_line_that_fails_over_a_real_socket_has_its_own_name_and_heals"
STORM = "tests/adapters/test_faults.py::test_a_storm_of_errors_is_answered_by_fewer_questions"
REFUSED = "tests/adapters/test_http.py::TestRefusedAnswers"
REASONS = "tests/domain/test_state_machine.py::test_a_closed_gate_names_the_reason_of_a_skip"
DOUBTED_EXITS = "tests/domain/test_exits.py::test_a_book_that_cannot_be_trusted_holds_an_exit_back_and_the_row_says_so"
SETTINGS = "tests/entrypoints/test_settings.py"
LEDGER = "tests/adapters/test_sqlite_ledger.py"
COPIES = "tests/adapters/test_ledger_copies.py"
DISKS = "tests/entrypoints/test_disks.py"
PROCESS = "tests/entrypoints/test_process.py"
DAEMON = "tests/entrypoints/test_daemon.py"
TORTURE = "tests/torture/test_ledger.py"
PORTAL = "tests/adapters/test_portal_files.py"
CELLS = "tests/adapters/test_portal_cells.py"
LOG = "tests/entrypoints/test_logging.py"
SECRETS = "tests/entrypoints/test_secrets.py"
CLOB = "tests/adapters/test_polymarket_clob.py"
GAMMA = "tests/adapters/test_polymarket_gamma.py"
SPOT = "tests/adapters/test_kraken_spot.py"
FUTURES = "tests/adapters/test_kraken_futures.py"
CLOCKS = "tests/entrypoints/test_clock_faults.py"
INPUTS = "tests/domain/test_inputs.py"
SCRIPTS = "tests/deployment/test_scripts.py"
UNIT = f"{SCRIPTS}::test_systemd_restarts_what_hangs_or_dies_but_not_for_ever_and_keeps_no_core"

NETWORK: Rows = {
    "N1": (
        FAULTS,
        SOCKET,
        "tests/adapters/test_feed.py::test_a_source_that_does_not_answer_is_missing_after_the_deadline",
        "tests/adapters/test_feed.py::test_one_failing_source_never_stops_what_does_not_need_it",
        f"{DAEMON}::test_a_tick_waits_for_the_venues_for_its_interval_and_at_least_five_seconds",
    ),
    "N2": (
        FAULTS,
        SOCKET,
        f"{DAEMON}::test_a_dead_source_does_not_stop_the_ticks",
        "tests/adapters/test_http.py::TestTheBackoff::test_doubles_up_to_a_minute",
    ),
    "N3": ("tests/adapters/test_tls.py::test_a_host_that_there_is_not_is_a_connect_error",),
    "N4": (FAULTS, SOCKET, "tests/adapters/test_http.py::TestTheDeadline::test_covers_a_host_that_drips"),
    "N5": (FAULTS, SOCKET, "tests/adapters/test_http.py::TestTheDeadline::test_covers_a_host_that_drips"),
    "N6": (
        FAULTS,
        SOCKET,
        "tests/adapters/test_http.py::TestALostConnection::test_is_tried_once_more_for_a_get",
        "tests/adapters/test_http.py::TestALostConnection::test_is_given_up_after_the_second_time",
    ),
    "N7": (FAULTS, SOCKET, "tests/adapters/test_http.py::TestALostConnection::test_in_the_middle_of_a_body_is_a_truncated_one"),
    "N8": (FAULTS, SPOILED, f"{REFUSED}::test_that_are_no_strict_json_are_called_so"),
    "N9": (
        FAULTS,
        SOCKET,
        f"{REFUSED}::test_include_every_content_encoding",
        "tests/adapters/test_http.py::TestAnAnswer::test_is_asked_for_under_the_base_url_as_ourselves_and_unencoded",
    ),
    "N10": (
        FAULTS,
        SPOILED,
        f"{REFUSED}::test_that_are_no_strict_json_are_called_so",
        f"{REFUSED}::test_but_not_those_with_a_byte_order_mark",
    ),
    "N11": (FAULTS, SPOILED, f"{REFUSED}::test_that_are_no_strict_json_are_called_so"),
    "N12": (
        FAULTS,
        STORM,
        "tests/adapters/test_http.py::TestTheBackoff::test_waits_as_long_as_the_host_asks_up_to_two_minutes",
    ),
    "N13": (
        FAULTS,
        STORM,
        "tests/adapters/test_http.py::TestTheBackoff::test_waits_as_long_as_the_host_asks_up_to_two_minutes",
    ),
    "N14": (
        FAULTS,
        STORM,
        "tests/adapters/test_http.py::TestTheBackoff::test_refuses_calls_at_once_until_it_is_over",
        f"{CLOB}::TestARefusedRequest::test_is_not_repeated_when_the_host_is_overloaded",
    ),
    "N15": (
        FAULTS,
        SPOILED,
        f"{REFUSED}::test_that_are_expected_are_counted_without_making_the_host_a_failing_one",
        "tests/adapters/test_market_life.py::test_a_position_whose_book_vanished_too_is_asked_for_and_held_at_its_last_price",
        "tests/adapters/test_market_life.py::test_a_position_is_never_paid_from_a_price",
    ),
    "N16": (FAULTS, SOCKET, f"{REFUSED}::test_have_one_stable_kind_and_quote_nothing"),
    "N17": (
        FAULTS,
        SOCKET,
        "tests/adapters/test_http.py::TestALostConnection::test_and_garbage_instead_of_http_have_their_own_kinds",
    ),
    "N18": (
        "tests/adapters/test_tls.py::test_a_certificate_that_nobody_vouches_for_is_refused",
        "tests/adapters/test_tls.py::test_a_certificate_that_is_vouched_for_must_be_of_this_host_and_of_today",
        "tests/adapters/test_tls.py::test_plain_http_where_tls_should_be_is_refused",
        "tests/adapters/test_tls.py::test_nothing_ever_asks_for_less_than_a_verified_host",
    ),
    "N19": (
        FAULTS,
        SOCKET,
        f"{REFUSED}::test_that_are_no_strict_json_are_called_so",
        f"{REFUSED}::test_have_one_stable_kind_and_quote_nothing",
    ),
    "N20": (
        FAULTS,
        "tests/adapters/test_http.py::TestAnAnswer::test_of_a_host_that_lets_us_wait_is_as_old_as_its_question",
        "tests/domain/test_market.py::test_the_age_of_a_book_counts_from_its_request_and_adds_the_caches",
        REASONS,
    ),
    "N21": ("tests/torture/test_growth.py::test_hours_without_any_host_leave_fresh_files_and_little_on_the_disk",),
}

DATA: Rows = {
    "D1": (FAULTS, REASONS, DOUBTED_EXITS),
    "D2": (
        FAULTS,
        SPOILED,
        REASONS,
        f"{CLOB}::TestABook::test_of_another_shape_is_refused_without_quoting_it",
        "tests/domain/test_exits.py::test_max_hold_needs_nothing_but_a_bid",
    ),
    "D3": (
        FAULTS,
        SPOILED,
        f"{CLOB}::TestABook::test_is_sorted_best_first_whatever_order_it_came_in",
        f"{CLOB}::TestABook::test_has_equal_prices_merged",
    ),
    "D4": (
        FAULTS,
        SPOILED,
        f"{REFUSED}::test_that_are_no_strict_json_are_called_so",
        f"{CLOB}::TestABook::test_with_a_price_that_is_no_plain_probability_is_refused",
    ),
    "D5": (
        FAULTS,
        SPOILED,
        f"{CLOB}::TestABook::test_with_a_price_that_is_no_plain_probability_is_refused",
        f"{CLOB}::TestABook::test_with_a_size_that_is_none_is_refused",
    ),
    "D6": (FAULTS, SPOILED, f"{CLOB}::TestABook::test_with_a_size_that_is_none_is_refused"),
    "D7": (
        FAULTS,
        SPOILED,
        f"{CLOB}::TestABook::test_with_a_price_that_is_no_plain_probability_is_refused",
        f"{CLOB}::TestABook::test_of_arbitrary_json_is_a_book_or_unavailable",
    ),
    "D8": (
        FAULTS,
        SPOILED,
        f"{CLOB}::TestABook::test_of_another_shape_is_refused_without_quoting_it",
        f"{CLOB}::TestABook::test_with_a_price_that_is_no_plain_probability_is_refused",
    ),
    "D9": (FAULTS, SPOILED, f"{CLOB}::TestABook::test_from_the_future_is_refused_beyond_five_seconds", REASONS),
    "D10": (FAULTS, SPOILED, f"{CLOB}::TestManyBooks::test_older_than_the_last_accepted_are_refused"),
    "D11": (FAULTS, REASONS, f"{PORTAL}::test_the_books_that_a_tick_believed_are_shown_best_first"),
    "D12": (FAULTS, SPOILED, f"{CLOB}::TestManyBooks::test_are_matched_by_token_and_each_judged_alone"),
    "D13": (FAULTS, REASONS, DOUBTED_EXITS, "tests/domain/test_exits.py::test_the_spread_alone_never_stops_out"),
    "D14": (
        FAULTS,
        SPOILED,
        f"{REFUSED}::test_that_are_no_strict_json_are_called_so",
        f"{CLOB}::TestManyBooks::test_in_a_body_that_is_no_list_fail_as_a_whole",
    ),
    "D15": (FAULTS, f"{SPOT}::test_an_error_is_fatal_even_beside_a_result"),
    "D16": (
        FAULTS,
        f"{SPOT}::test_a_quote_that_is_no_price_is_not_passed_over",
        f"{SPOT}::test_a_field_of_another_shape_is_refused",
        f"{SPOT}::test_arbitrary_json_is_unavailable",
    ),
    "D17": (FAULTS, f"{SPOT}::test_another_pairs_price_is_never_taken"),
    "D18": (
        FAULTS,
        f"{INPUTS}::test_a_reference_that_jumps_waits_one_tick_and_counts_when_confirmed",
        f"{INPUTS}::test_a_spike_of_one_tick_leaves_no_trace",
        f"{INPUTS}::test_no_first_price_alone_brings_a_trade",
    ),
    "D19": (
        FEATURES,
        f"{FUTURES}::test_an_answer_that_is_no_list_of_tickers_of_now_is_refused",
        f"{FUTURES}::test_a_price_that_is_none_is_not_passed_over",
        f"{FUTURES}::test_a_suspended_market_has_no_price",
        "tests/domain/test_view.py::test_a_source_that_did_not_deliver_says_which_and_why",
    ),
    "D20": (
        FEATURES,
        "tests/adapters/test_market_life.py::test_a_position_is_paid_exactly_once_when_either_says_how_it_ended",
        "tests/domain/test_once_and_exactly.py::test_a_settled_token_is_a_closed_market",
        f"{LEDGER}::test_a_token_is_paid_out_once",
        "tests/entrypoints/test_payouts.py::test_a_payout_comes_exactly_once_when_the_process_dies_in_its_tick",
    ),
    "D21": (
        FAULTS,
        "tests/adapters/test_market_life.py::test_tick_and_minimum_come_from_the_newest_book",
        "tests/adapters/test_market_life.py::test_an_entry_below_the_minimum_of_the_newest_book_is_not_sent",
    ),
    "D22": (
        FEATURES,
        f"{GAMMA}::TestAListing::test_that_contradicts_itself_is_refused",
        f"{GAMMA}::TestLookingUp::test_takes_an_object_a_list_of_one_and_a_page_of_one",
        f"{GAMMA}::TestLookingUp::test_never_takes_another_market",
        f"{GAMMA}::TestAnEvent::test_loses_only_the_markets_that_cannot_be_used",
        "tests/adapters/test_universe.py::test_a_slug_that_cannot_be_resolved_costs_only_its_market_and_is_tried_again",
    ),
    "D23": (
        FEATURES,
        f"{CELLS}::test_no_text_becomes_a_formula_or_breaks_a_row",
        f"{CELLS}::test_a_very_long_name_is_cut",
        f"{PORTAL}::test_a_hostile_name_breaks_no_file",
        f"{GAMMA}::test_a_clean_name_can_be_written_and_shown",
    ),
    "D24": (
        "tests/adapters/test_market_map.py::test_a_mistake_is_named_by_its_place",
        f"{DAEMON}::test_bad_configuration_ends_with_78_before_the_first_tick",
    ),
    "D25": (
        "tests/domain/test_fill.py::test_a_fill_is_a_subset_of_the_book_within_limit_and_wish",
        "tests/domain/test_sizing.py::test_an_entry_is_the_order_size_cut_to_the_bands_budget",
        "tests/domain/test_laws.py::test_no_input_breaks_a_law",
        "tests/torture/test_lies.py::test_a_market_whose_answers_break_is_traded_within_its_true_books",
    ),
}

CLOCK: Rows = {
    "C1": (
        f"{INPUTS}::test_a_stepped_clock_neither_shortens_nor_lengthens_a_hold",
        f"{CLOCKS}::test_a_stepped_wall_clock_makes_no_book_older_or_younger",
        f"{CLOCKS}::test_a_stepped_wall_clock_neither_ends_nor_prolongs_a_cooldown",
        f"{CLOCKS}::test_a_restart_under_a_wall_clock_that_was_set_back_is_flagged_and_costs_one_tick",
        "tests/adapters/test_clock.py::test_a_wall_clock_that_was_set_back_counts_as_no_time",
    ),
    "C2": (
        f"{INPUTS}::test_a_stepped_clock_costs_one_tick_without_trades",
        f"{INPUTS}::test_an_exit_that_is_due_waits_for_the_tick_after_the_jump",
    ),
    "C3": (
        f"{INPUTS}::test_after_a_gap_the_warm_up_starts_again",
        f"{CLOCKS}::test_a_move_during_a_suspension_is_not_taken_for_a_move_of_now",
        f"{CLOCKS}::test_after_a_suspension_the_missed_ticks_are_not_made_up_for",
        f"{CLOCKS}::test_a_day_without_the_daemon_is_no_jump_but_a_hole",
    ),
    "C4": (
        "tests/test_architecture.py::test_the_linter_refuses_local_times_and_formats_that_vary",
        f"{LOG}::test_times_are_utc",
        f"{CELLS}::test_times_are_utc_with_milliseconds",
    ),
    "C5": (f"{CLOCKS}::test_what_is_kept_is_in_the_order_of_ticks_although_the_clock_ran_backwards",),
    "C6": (
        f"{CLOCKS}::test_times_of_this_century_are_times",
        f"{CLOCKS}::test_seconds_microseconds_and_other_centuries_are_none",
        f"{CLOB}::TestABook::test_of_another_shape_is_refused_without_quoting_it",
        f"{GAMMA}::TestAListing::test_that_contradicts_itself_is_refused",
        f"{FUTURES}::test_an_answer_that_is_no_list_of_tickers_of_now_is_refused",
        "tests/adapters/test_simulated_venues.py::test_a_frame_of_a_time_that_is_none_is_refused_with_its_line",
        "tests/adapters/test_tape_importers.py::test_a_time_that_no_market_can_have_is_refused",
    ),
}

PROCESSES: Rows = {
    "X1": (
        f"{TORTURE}::test_agents_that_are_killed_at_random_lose_and_double_nothing",
        f"{LEDGER}::test_kill_9_loses_nothing_and_doubles_nothing",
        "tests/entrypoints/test_crashes.py::test_a_daemon_that_is_killed_at_random_moments_keeps_its_books",
        f"{DISKS}::test_the_first_tick_after_a_kill_comes_within_five_seconds",
    ),
    "X2": (
        f"{TORTURE}::test_a_kill_at_any_system_call_leaves_a_sound_ledger",
        f"{TORTURE}::test_a_ledger_that_forgot_is_found_out",
    ),
    "X3": (
        f"{TORTURE}::test_a_power_cut_loses_nothing_that_was_acknowledged",
        f"{TORTURE}::test_a_disk_that_does_not_sync_is_found_out",
    ),
    "X4": (
        f"{PROCESS}::test_sigterm_while_the_venues_hang_ends_with_zero_and_a_whole_ledger",
        "tests/torture/test_lies.py::test_sigterm_ends_with_zero_within_ten_seconds_whatever_the_venues_keep_open",
        f"{DAEMON}::test_sigterm_ends_the_daemon_with_zero_after_its_tick",
    ),
    "X5": (
        f"{PROCESS}::test_a_signal_before_the_first_tick_ends_with_zero",
        f"{PROCESS}::test_an_interrupt_ends_with_zero_after_its_tick",
        f"{PROCESS}::test_other_signals_stop_nothing",
        f"{PROCESS}::test_nobody_need_read_what_it_says",
        f"{PROCESS}::test_it_need_not_be_given_any_streams",
    ),
    "X6": (
        f"{PROCESS}::test_it_runs_in_little_memory",
        f"{TORTURE}::test_agents_that_are_killed_at_random_lose_and_double_nothing",
    ),
    "X7": (
        f"{PROCESS}::test_a_second_daemon_says_who_holds_the_lock_even_to_nobody",
        "tests/adapters/test_state_lock.py::test_a_second_process_is_refused_and_learns_who_was_first",
    ),
    "X8": (
        f"{DISKS}::test_a_full_disk_under_the_ledger_ends_with_74_and_all_goes_on_when_there_is_room",
        f"{DISKS}::test_a_full_disk_under_the_files_leaves_them_old_and_trading_on",
        f"{LEDGER}::test_a_disk_that_is_really_full_loses_nothing_and_is_used_again",
    ),
    "X9": (f"{DISKS}::test_a_disk_that_fails_once_ends_with_74",),
    "X10": (f"{DISKS}::test_a_disk_that_fails_once_ends_with_74",),
    "X11": (
        f"{DISKS}::test_a_place_of_another_user_ends_the_start_with_78",
        f"{LEDGER}::test_a_ledger_of_another_user_is_refused_with_the_user",
        f"{LEDGER}::test_a_ledger_on_a_disk_that_became_read_only_is_refused",
        "tests/adapters/test_state_lock.py::test_a_directory_without_the_right_to_write_is_refused_with_the_user",
    ),
    "X12": (
        f"{PORTAL}::test_a_file_that_a_reader_holds_open_is_replaced_when_it_lets_go",
        f"{PORTAL}::test_a_file_that_a_reader_does_not_let_go_stays_old_and_is_counted",
    ),
    "X13": (
        f"{LEDGER}::test_a_ledger_that_is_busy_for_a_moment_is_waited_for",
        f"{LEDGER}::test_a_ledger_that_another_process_writes_to_is_unwritable",
    ),
    "X14": (
        f"{LEDGER}::test_what_is_no_ledger_is_refused_and_left_alone",
        f"{COPIES}::test_a_refused_ledger_names_its_newest_backup",
        f"{DAEMON}::test_a_ledger_that_is_gone_while_its_files_are_there_is_refused",
    ),
    "X15": (f"{LEDGER}::test_a_copy_without_its_log_is_behind_the_files",),
    "X16": (f"{LEDGER}::test_a_flipped_bit_in_the_log_is_behind_the_files",),
    "X17": (f"{LEDGER}::test_a_flipped_bit_in_a_page_is_found", f"{LEDGER}::test_a_ledger_that_was_changed_is_refused"),
    "X18": ("tests/test_architecture.py::test_only_sqlite_opens_the_ledger",),
    "X19": (
        f"{PORTAL}::test_deleted_and_damaged_files_are_back_at_the_next_tick",
        f"{PORTAL}::test_a_rebuilt_portal_equals_one_that_grew",
        f"{DAEMON}::test_a_killed_daemon_goes_on_where_its_last_committed_tick_ended",
    ),
    "X20": (
        f"{LEDGER}::test_tables_of_another_version_are_refused",
        f"{COPIES}::test_an_older_ledger_is_backed_up_and_migrated",
        f"{COPIES}::test_an_older_ledger_that_does_not_add_up_is_left_as_it_is",
    ),
    "X21": (
        f"{TORTURE}::test_a_kill_at_any_system_call_leaves_a_sound_ledger",
        f"{COPIES}::test_a_migration_that_was_cut_off_after_its_backup_goes_on",
    ),
    "X22": (
        "tests/torture/test_growth.py::test_rows_files_and_handles_have_an_end",
        "tests/torture/test_growth.py::test_a_log_that_a_reader_made_long_is_cut_when_the_reader_has_gone",
        f"{LEDGER}::test_the_newest_ticks_of_ten_thousand_verdicts_stay",
        f"{LEDGER}::test_the_journal_holds_the_newest_orders_and_trades",
        f"{PORTAL}::test_a_log_keeps_exactly_the_newest_rows",
        f"{COPIES}::test_there_is_one_backup_a_day_and_fourteen_of_them",
    ),
    "X23": (
        "tests/torture/test_growth.py::test_rows_files_and_handles_have_an_end",
        "tests/torture/test_lies.py::test_hours_of_broken_answers_leave_no_handle_open_and_no_number_that_is_none",
        f"{PORTAL}::test_the_last_state_is_on_the_disk_after_close",
    ),
    "X24": (
        f"{PROCESS}::test_a_hang_leaves_the_watchdog_unfed_and_the_next_daemon_goes_on_with_nothing_lost",
        f"{PROCESS}::test_systemd_hears_ready_a_ping_after_each_tick_and_stopping",
        UNIT,
    ),
    "X25": (
        UNIT,
        f"{DAEMON}::test_a_killed_daemon_goes_on_where_its_last_committed_tick_ended",
        "tests/web/test_frame.py::test_the_page_says_stale_when_the_agent_stops_and_recovers_by_itself",
    ),
}

CONFIGURATION: Rows = {
    "G1": (
        f"{SETTINGS}::test_a_variable_within_two_letters_of_ours_is_an_error_that_says_which_was_meant",
        f"{SETTINGS}::test_an_unknown_variable_with_one_of_our_prefixes_is_a_warning",
        f"{DAEMON}::test_bad_configuration_ends_with_78_before_the_first_tick",
    ),
    "G2": (
        f"{SETTINGS}::test_a_bad_value_is_refused_with_its_name_its_value_and_what_is_allowed",
        f"{SETTINGS}::test_all_mistakes_are_named_at_once",
    ),
    "G3": (
        f"{SETTINGS}::test_a_tiny_percentage_is_a_warning",
        f"{SETTINGS}::test_a_bad_value_is_refused_with_its_name_its_value_and_what_is_allowed",
    ),
    "G4": (
        "tests/adapters/test_market_map.py::test_a_missing_map_is_an_error_and_never_another_universe",
        "tests/adapters/test_market_map.py::test_a_mistake_is_named_by_its_place",
    ),
    "G5": ("tests/adapters/test_market_map.py::test_a_mistake_is_named_by_its_place",),
    "G6": (
        f"{SETTINGS}::test_settings_that_contradict_each_other_are_refused",
        f"{SETTINGS}::test_of_two_variables_that_ask_for_different_things_the_ignored_one_is_named",
        f"{SETTINGS}::test_a_bad_value_is_refused_with_its_name_its_value_and_what_is_allowed",
        f"{SETTINGS}::test_discovery_beside_a_token_is_no_conflict",
    ),
    "G7": (
        "tests/entrypoints/test_keys.py::test_a_file_that_others_may_use_is_refused",
        "tests/entrypoints/test_keys.py::test_a_file_of_another_user_is_refused",
        "tests/entrypoints/test_check_keys.py::test_keys_from_a_file_work_and_a_file_that_others_can_read_ends_with_78",
    ),
    "G8": (f"{SETTINGS}::test_settings_that_contradict_each_other_are_refused",),
    "G9": (
        f"{DAEMON}::test_a_killed_daemon_goes_on_where_its_last_committed_tick_ended",
        f"{LEDGER}::test_an_old_ledger_keeps_its_opening_cash",
    ),
    "G10": (f"{LEDGER}::test_an_account_without_a_cent_stays_without_one",),
}

PAGES: Rows = {
    "W1": (
        "tests/web/test_frame.py::test_names_of_markets_stay_text",
        "tests/adapters/test_portal_server.py::test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_inline",
    ),
    "W2": (
        f"{CELLS}::test_a_hostile_name_is_only_text",
        f"{CELLS}::test_no_text_becomes_a_formula_or_breaks_a_row",
        "tests/web/test_routes.py::test_a_downloaded_list_holds_no_formula_and_keeps_its_numbers",
    ),
    "W3": (f"{PORTAL}::test_a_reader_never_sees_half_a_file",),
    "W4": (
        "tests/web/test_frame.py::test_files_of_different_ticks_are_as_old_as_the_oldest_and_marked",
        f"{PORTAL}::test_the_manifest_tells_what_the_files_hold",
    ),
    "W5": (
        "tests/web/test_frame.py::test_the_clock_of_the_browser_changes_nothing",
        "tests/web/test_frame.py::test_the_page_says_stale_when_the_agent_stops_and_recovers_by_itself",
        "tests/web/test_routes.py::test_every_route_says_when_its_data_is_stale",
    ),
    "W6": (
        f"{PORTAL}::test_a_file_that_no_page_could_show_is_not_written",
        "tests/torture/test_growth.py::test_rows_files_and_handles_have_an_end",
        "tests/web/test_routes.py::test_no_route_minds_what_the_files_are",
    ),
    "W7": (
        "tests/web/test_frame.py::test_one_bad_file_never_hides_another_card",
        "tests/web/test_routes.py::test_no_route_minds_what_the_files_are",
    ),
    "W8": (
        f"{SCRIPTS}::test_what_is_fetched_from_the_vps_are_the_files_that_the_agent_publishes",
        "tests/adapters/test_portal_server.py::test_nothing_else_can_be_read",
        f"{SETTINGS}::test_settings_that_contradict_each_other_are_refused",
    ),
}

SECURITY: Rows = {
    "S1": (
        f"{SECRETS}::test_a_daemon_among_secrets_writes_none_of_them_down",
        f"{LOG}::test_no_secret_is_logged",
        f"{LOG}::test_no_secret_is_in_a_traceback",
    ),
    "S2": (
        f"{LOG}::test_no_secret_is_in_a_traceback",
        f"{LOG}::test_a_defect_of_a_command_shows_no_secret",
        "tests/entrypoints/test_thread_defects.py::test_a_thread_that_dies_is_in_the_log_without_its_secrets",
        "tests/entrypoints/test_thread_defects.py::test_the_daemon_goes_on_and_shows_it",
    ),
    "S3": (
        f"{LOG}::test_pydantic_and_repr_show_no_key",
        "tests/entrypoints/test_keys.py::test_an_error_of_the_model_itself_shows_no_value",
    ),
    "S4": ("tests/test_architecture.py::test_nothing_is_pickled_by_hand_and_keys_stay_in_their_process", UNIT),
    "S5": (
        f"{LOG}::test_urls_are_not_logged",
        "tests/adapters/test_key_signatures.py::test_a_polymarket_signature_leaves_the_query_out",
    ),
    "S6": (
        f"{LOG}::test_a_record_is_one_line_whatever_a_market_is_called",
        f"{LOG}::test_every_format_of_the_log_is_constant",
        "tests/test_architecture.py::test_the_linter_refuses_local_times_and_formats_that_vary",
    ),
    "S7": (
        f"{SECRETS}::test_no_file_of_the_project_holds_a_secret",
        f"{SECRETS}::test_git_ignores_what_keys_are_kept_in",
        f"{SECRETS}::test_a_secret_is_recognised",
    ),
    "S8": (
        "tests/test_documents.py::test_every_pinned_package_carries_hashes_and_no_registry_is_named",
        "tests/test_documents.py::test_what_is_locked_is_installed_by_its_hashes_alone",
    ),
    "S9": (),
    "S10": (
        "tests/domain/test_arming.py::test_exactly_one_combination_arms",
        "tests/domain/test_arming.py::test_nothing_asks_in_order_to_trade",
        f"{LEDGER}::test_a_paper_ledger_is_not_opened_for_real_money",
    ),
    "S11": (
        "tests/adapters/test_feed.py::test_the_kill_switch_is_pulled_while_its_file_exists",
        REASONS,
        "tests/domain/test_state_machine.py::test_a_closed_scale_in_gate_names_the_reason_of_a_hold",
        "tests/domain/test_exits.py::test_max_hold_needs_nothing_but_a_bid",
        "tests/domain/test_latency.py::test_a_waiting_order_buys_nothing_while_the_kill_switch_is_pulled",
        "tests/adapters/test_broker_exam.py::test_whoever_breaks_a_rule_fails_it",
    ),
    "S12": (f"{SECRETS}::test_a_daemon_among_secrets_writes_none_of_them_down",),
}

PROVEN: Rows = {**NETWORK, **DATA, **CLOCK, **PROCESSES, **CONFIGURATION, **PAGES, **SECURITY}
"""Row -> the tests that prove it."""

ELSEWHERE: Mapping[str, str] = {
    "X23": "how memory grows in a simulated day is a figure of `make torture`; in the short runs it has not settled",
    "S7": "CI runs the search for secrets with the slow tests; a hook before the commit is each checkout's own",
    "S8": "CI installs from the lock with its hashes; there are no live extras to lock apart",
    "S9": "pip-audit needs the database of known holes and so a network: docs/en/upgrading.md says when to run it",
}
"""Row -> what of it no test of this suite can prove, and where that is proven."""
